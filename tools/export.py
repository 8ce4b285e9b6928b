"""Export the model of a checkpoint to ONNX or torch.export, and check the file against the model.

    pip install 'mmamr[export]'
    python tools/export.py work_dirs/photos/segmentation/iter_400.pth --out model.onnx
    python run_model.py photo.jpg mask.png      # onnxruntime, Pillow and NumPy alone

The model takes RGB images of uint8 (N, H, W, 3), of any N, H and W; normalisation is inside. Of a segmentation model it
gives scores (N, C, H, W) and mask (N, H, W), of a classifier scores (N, K) and cams (N, K, h, w).
"""

import argparse

from mmamr.apis import export
from mmamr.utils import one_line_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='.pth of a segmentation model or of a classifier')
    parser.add_argument('--out', required=True, metavar='FILE', help='file to write: .onnx, or .pt2 for torch-export')
    parser.add_argument('--format', choices=['onnx', 'torch-export'], help='by the suffix of --out, if it is not given')
    parser.add_argument('--config', help='config of a checkpoint that holds none, or the one to use instead of it')
    parser.add_argument('--photos', nargs='+', default=[], help='what to check it on, three at most (made-up images)')
    args = parser.parse_args(argv)
    args.format = args.format or ('torch-export' if args.out.endswith('.pt2') else 'onnx')
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        exported = export(args.checkpoint, args.out, args.config, args.format, args.photos)
    for name, difference in exported.differences.items():
        print(f'largest difference of a score from the model on {name}: {difference:.1e}')
    print(exported.path)
    if exported.script is not None:
        print(exported.script)


if __name__ == '__main__':
    main()
