import importlib.util

import numpy as np
import pytest

from mmamr.refine import AFFINITYNET_CRF, DEEPLABV2_CRF, IRNET_CRF, CRFParams, DenseCRF, dense_crf

needs_pydensecrf = pytest.mark.skipif(
    importlib.util.find_spec('pydensecrf') is None, reason='needs `pip install pydensecrf2`'
)
BACKENDS = [pytest.param('pydensecrf', marks=needs_pydensecrf), 'torch']


def photo(height, width, noise=12, seed=0):
    """A smooth ground with a disc on it, and the mask of the disc."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    disc = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (min(height, width) / 3) ** 2
    ground = np.stack([90 + 60 * x / width, 110 + 30 * y / height, 100 + 0 * x], -1)
    image = np.where(disc[..., None], [190, 70, 60], ground) + rng.normal(0, noise, (height, width, 3))
    return image.clip(0, 255).astype(np.uint8), disc.astype(int)


@pytest.mark.parametrize('backend', BACKENDS)
def test_labels_follow_the_image(backend):
    image, disc = photo(60, 80)
    rough = np.zeros_like(disc)
    rough[12:50, 24:54] = 1
    label = dense_crf(image, rough, num_labels=2, bilateral_srgb=13, backend=backend).argmax(0)
    assert (rough != disc).mean() > 0.04
    assert (label != disc).mean() < 0.01


@pytest.mark.parametrize('backend', BACKENDS)
def test_one_image_with_several_scores_equals_several_crfs(backend):
    image, disc = photo(40, 50, noise=25)
    soft = np.random.default_rng(2).dirichlet(np.ones(4), disc.shape).transpose(2, 0, 1).astype(np.float32)
    crf = DenseCRF(image, AFFINITYNET_CRF, backend=backend, gt_prob=0.8)
    for scores, num_labels in ((disc, 2), (soft, None), (1 - disc, 2), (disc, 4), (soft[:1], None), (disc, 2)):
        alone = dense_crf(image, scores, AFFINITYNET_CRF, num_labels=num_labels, backend=backend, gt_prob=0.8)
        np.testing.assert_array_equal(crf(scores, num_labels), alone)


@needs_pydensecrf
@pytest.mark.parametrize('params', [IRNET_CRF, AFFINITYNET_CRF, DEEPLABV2_CRF])
@pytest.mark.parametrize('num_labels', [2, 4, 21])
def test_backends_agree(params, num_labels):
    image, _ = photo(70, 90, noise=25)
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, num_labels, (7, 9)).repeat(10, 0).repeat(10, 1)
    soft = rng.dirichlet(np.full(num_labels, 0.5), (70, 90)).transpose(2, 0, 1).astype(np.float32)
    for scores in (blocks, soft):
        theirs, ours = (
            dense_crf(image, scores, params, num_labels=num_labels, backend=backend)
            for backend in ('pydensecrf', 'torch')
        )
        assert theirs.dtype == ours.dtype == np.float32
        assert (theirs.argmax(0) != ours.argmax(0)).mean() < 0.001
        assert np.abs(theirs - ours).mean() < 1e-4


@needs_pydensecrf
@pytest.mark.parametrize(
    'named',
    [
        dict(iterations=0),
        dict(iterations=3),
        dict(gaussian_sxy=1),
        dict(gaussian_compat=0),
        dict(bilateral_sxy=9),
        dict(bilateral_srgb=20),
        dict(bilateral_compat=0),
        dict(gt_prob=0.95),
        dict(gaussian_compat=0, bilateral_compat=0),
    ],
)
def test_each_parameter_counts_and_does_the_same_in_both_backends(named):
    image, disc = photo(30, 40, noise=25)
    theirs, ours = (
        dense_crf(image, disc, num_labels=2, backend=backend, **named) for backend in ('pydensecrf', 'torch')
    )
    np.testing.assert_allclose(theirs, ours, atol=2e-3)
    assert np.abs(ours - dense_crf(image, disc, num_labels=2, backend='torch')).max() > 1e-3
    np.testing.assert_array_equal(ours, dense_crf(image, disc, CRFParams(**named), num_labels=2, backend='torch'))


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize('size', [(1, 1), (1, 2), (1, 37), (41, 1), (2, 3), (9, 9)])
@pytest.mark.parametrize('num_labels', [1, 2, 21])
def test_any_size_and_number_of_labels(backend, size, num_labels):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    belief = dense_crf(image, rng.integers(0, num_labels, size), num_labels=num_labels, backend=backend)
    assert belief.shape == (num_labels, *size) and belief.dtype == np.float32
    np.testing.assert_allclose(belief.sum(0), 1, atol=1e-4)


@pytest.mark.parametrize('backend', BACKENDS)
def test_grey_equals_three_equal_channels(backend):
    image, disc = photo(24, 30)
    grey = image[..., 0]
    one, three = (dense_crf(i, disc, num_labels=2, backend=backend) for i in (grey, np.stack([grey] * 3, -1)))
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize('backend', BACKENDS)
def test_input_is_untouched_and_layout_does_not_matter(backend):
    image, disc = photo(20, 26)
    scores = np.stack([1 - 0.8 * disc, 0.8 * disc]).astype(np.float64)  # has zeros
    image.flags.writeable = scores.flags.writeable = False
    expected = dense_crf(image, scores, backend=backend)
    views = np.asfortranarray(image), np.asfortranarray(scores)
    np.testing.assert_array_equal(dense_crf(*views, backend=backend), expected)
    mirrored = dense_crf(image[:, ::-1], scores[:, :, ::-1], backend=backend)
    assert (mirrored[:, :, ::-1].argmax(0) != expected.argmax(0)).mean() < 0.02
    np.testing.assert_allclose(dense_crf(image, scores.astype(np.float16), backend=backend), expected, atol=5e-3)


def test_auto_takes_pydensecrf_where_it_is(monkeypatch):
    image, disc = photo(20, 26)
    expected = dense_crf(image, disc, num_labels=2, backend='torch')
    if importlib.util.find_spec('pydensecrf') is not None:
        np.testing.assert_array_equal(
            dense_crf(image, disc, num_labels=2), dense_crf(image, disc, num_labels=2, backend='pydensecrf')
        )
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    np.testing.assert_array_equal(dense_crf(image, disc, num_labels=2), expected)
    with pytest.raises(ImportError, match='pip install pydensecrf2'):
        dense_crf(image, disc, num_labels=2, backend='pydensecrf')


@pytest.mark.gpu
def test_gpu_equals_cpu():
    image, disc = photo(60, 80)
    gpu = dense_crf(image, disc, num_labels=2, device='cuda')
    cpu = dense_crf(image, disc, num_labels=2, backend='torch')
    assert (gpu.argmax(0) != cpu.argmax(0)).mean() < 0.001


IMAGE = np.zeros((5, 6, 3), np.uint8)
LABELS = np.zeros((5, 6), int)


@pytest.mark.parametrize(
    'image, scores, named, message',
    [
        (IMAGE.astype(float), LABELS, dict(num_labels=2), 'image must be uint8'),
        (IMAGE[..., :2], LABELS, dict(num_labels=2), 'image must be uint8'),
        (IMAGE[:0], LABELS[:0], dict(num_labels=2), 'image must be uint8'),
        (IMAGE, LABELS[:4], dict(num_labels=2), 'size of the image'),
        (IMAGE, LABELS, dict(), 'num_labels is needed'),
        (IMAGE, LABELS + 2, dict(num_labels=2), 'labels must be in 0 to 1, got 2 to 2'),
        (IMAGE, LABELS - 1, dict(num_labels=2), 'labels must be in 0 to 1'),
        (IMAGE, LABELS.astype(float), dict(num_labels=2), 'scores must be'),
        (IMAGE, np.zeros((0, 5, 6)), dict(), 'scores must be'),
        (IMAGE, np.full((2, 5, 6), np.nan), dict(), 'probabilities must be finite'),
        (IMAGE, np.ones((2, 5, 6)), dict(num_labels=3), 'do not fit num_labels 3'),
        (IMAGE, LABELS, dict(num_labels=2, backend='numpy'), 'backend must be'),
        (IMAGE, LABELS, dict(num_labels=2, backend='pydensecrf', device='cuda'), 'runs on the CPU only'),
        (IMAGE, LABELS, dict(num_labels=2, sxy=3), r"no parameter of a dense CRF: \['sxy'\]"),
        (IMAGE, LABELS, dict(num_labels=2, iterations=-1), 'iterations must be'),
        (IMAGE, LABELS, dict(num_labels=2, bilateral_srgb=0), 'bilateral_srgb must be larger than 0'),
        (IMAGE, LABELS, dict(num_labels=2, gaussian_compat=-1), 'gaussian_compat must be at least 0'),
        (IMAGE, LABELS, dict(num_labels=2, gt_prob=1), 'gt_prob must lie'),
    ],
)
def test_wrong_arguments_raise(image, scores, named, message):
    with pytest.raises(ValueError, match=message) as error:
        dense_crf(image, scores, **named)
    assert '\n' not in str(error.value)
