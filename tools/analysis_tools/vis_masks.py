"""Draw what goes in and what comes out of a pipeline: photo and tags, CAM, mask.

python tools/analysis_tools/vis_masks.py work_dirs/demo/amr a.jpg b.jpg --out in_and_out.png

The tags are those that the classifier gives, the mask is that of the segmentation model.
"""

import argparse
import os.path as osp

from mmamr.apis import CAMInferencer, SegInferencer, save_rows
from mmamr.apis.inputs import list_photos, photo_title, read_photo
from mmamr.apis.predict import find_checkpoint
from mmamr.cams import mix
from mmamr.utils import InputError, one_line_errors
from mmamr.visualization import Row, draw_heat_map, draw_labels
from mmamr.visualization.rows import legend, strongest


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dir', help='work folder of a pipeline that has a classifier and a segmentation model')
    parser.add_argument('photos', nargs='+', help='photos, or folders of them')
    parser.add_argument('--out', default='in_and_out.png', help='.png or .jpg (%(default)s)')
    parser.add_argument('--width', type=int, default=256, help='of a column in pixels (%(default)s)')
    return parser.parse_args(argv)


def rows(work_dir: str, photos: list[str]) -> list[Row]:
    """A row a photo."""
    folder = osp.join(work_dir, 'classifier')
    if not osp.isdir(folder):
        raise InputError(f'{folder}: no such folder; name the work folder of a pipeline that trained a classifier')
    classify = CAMInferencer(find_checkpoint(folder), show_progress=False)
    segment = SegInferencer(find_checkpoint(work_dir), show_progress=False)
    names, palette = classify.classes.names[1:], segment.classes.palette
    found = []
    for number, photo in enumerate(list_photos(photos)):
        image = read_photo(photo, 'rgb')
        cam = classify(photo)['predictions'][0]['cam']
        mask = segment(photo)['predictions'][0]['sem_seg']
        panels = {
            'photo': image,
            'CAM of its tags': draw_heat_map(image, strongest(mix(cam), cam.classes)),
            'mask': draw_labels(image, mask, palette),
        }
        found.append(Row(panels, photo_title(photo, number), legend(cam.classes, names, palette)))
    return found


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        print('\n'.join(save_rows(rows(args.work_dir, args.photos), args.out, args.width)))


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
