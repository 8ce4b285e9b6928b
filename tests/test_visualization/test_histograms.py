import numpy as np

from mmamr.visualization.histograms import draw_histograms


def test_size_and_content():
    rng = np.random.default_rng(0)
    values = {'features': (rng.normal(size=(4, 50)), rng.normal(size=90)), 'gate': (rng.normal(size=9), np.ones(9))}
    picture = draw_histograms(values, 'amm', width=400)
    assert picture.dtype == np.uint8 and picture.shape == (240, 400, 3)
    assert np.array_equal(picture, draw_histograms(values, 'amm', width=400))
    assert draw_histograms(dict(features=values['features']), width=400).shape[0] < 240
    other = dict(values, gate=(values['gate'][0], rng.normal(size=9)))
    assert not np.array_equal(picture, draw_histograms(other, 'amm', width=400))


def test_values_that_cannot_be_drawn():
    values = {'features': (np.array([np.nan, np.inf, 1.0]), np.array([]))}
    assert draw_histograms(values, width=300).shape[1] == 300
