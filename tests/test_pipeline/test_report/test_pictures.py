import base64
import io

import numpy as np
import pytest
from PIL import Image

from mmamr.pipeline.report.pictures import Layer, PictureRow


def decoded(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(',')[2])))


@pytest.mark.parametrize(('shape', 'size'), [((40, 1024), (512, 20)), ((20, 10), (10, 20))])
def test_photos_are_small(shape, size):
    row = PictureRow.from_photo('a', np.full((*shape, 3), 200, dtype=np.uint8))
    image = decoded(row.photo)
    assert image.format == 'JPEG' and image.size == size and abs(image.getpixel((5, 5))[0] - 200) < 3
    assert row.size == shape and row.layers == []


def test_labels_keep_their_colours_and_the_background_is_clear():
    labels = np.zeros((300, 1024), dtype=np.uint8)
    labels[:, 512:] = 2
    labels[:, 900:] = 255
    layer = Layer.from_labels(labels, [(0, 0, 0), (1, 1, 1), (10, 200, 30)], 'label', 'alt')
    image = decoded(layer.uri)
    assert image.format == 'PNG' and image.mode == 'RGBA' and image.size == (512, 150)
    assert image.getpixel((100, 75)) == (0, 0, 0, 0) and image.getpixel((300, 75)) == (10, 200, 30, 255)
    assert image.getpixel((256, 75)) == (255, 255, 255, 255) and image.getpixel((500, 75)) == (224, 224, 192, 255)


def test_heat_maps_are_no_larger_than_they_need_to_be():
    image = decoded(Layer.from_scores(np.ones((100, 400), dtype=np.float16), 'CAM', 'alt').uri)
    assert image.size == (160, 40)
    red, green, blue = image.getpixel((5, 5))
    assert red > 100 and green < 20 and blue < 20
