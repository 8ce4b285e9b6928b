"""Histograms of values before and after something acted on them, as a picture."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DPI = 100


def draw_histograms(
    values: dict[str, tuple[np.ndarray, np.ndarray]], title: str = '', width: int = 800, bins: int = 80
) -> np.ndarray:
    """One row a quantity: its distribution before on the left, after on the right.

    Args:
        values (dict[str, tuple[np.ndarray, np.ndarray]]): Name to values before and after, of any shape.
        title (str): Above all. Defaults to ''.
        width (int): Of the picture in pixels. Defaults to 800.
        bins (int): Of each histogram. Defaults to 80.

    Returns:
        np.ndarray: RGB uint8 ``(H, W, 3)``.
    """
    height = (0.27 * len(values) + 0.06) * width
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, layout='constrained')
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=width / 70)
    axes = figure.subplots(len(values), 2, squeeze=False)
    for row, (name, pair) in zip(axes, values.items()):
        for axis, one, when, colour in zip(row, pair, ('before', 'after'), ('tab:blue', 'tab:orange')):
            one = np.asarray(one, dtype=np.float64).ravel()
            one = one[np.isfinite(one)]
            axis.hist(one, bins=bins, weights=np.full(len(one), 100 / max(len(one), 1)), color=colour)
            axis.set_yscale('symlog', linthresh=0.1)
            spread = f': mean {one.mean():.3g}, σ {one.std():.3g}' if len(one) else ''
            axis.set_title(f'{name} {when}{spread}', fontsize=width / 90)
            axis.set_ylabel('% of the values', fontsize=width / 100)
            axis.tick_params(labelsize=width / 110)
            axis.locator_params(axis='x', nbins=6)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
