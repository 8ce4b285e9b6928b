"""Write the report of a pipeline again: one HTML file of what stands in its work folder, to be opened in any browser.

    python tools/analysis_tools/report.py work_dirs/<pipeline> --num 12

A pipeline writes it by itself when it ends. Paths in its configs that are not absolute count from the current folder.
"""

import argparse

from mmamr.apis import write_report
from mmamr.utils import one_line_errors


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dir', help='work folder of a pipeline, with its manifest.json')
    parser.add_argument('--num', type=int, default=6, help='photos of each kind to show; 0 is none (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the random ones (%(default)s)')
    parser.add_argument('--out', metavar='FILE', help='file to write (report.html in the work folder)')
    args = parser.parse_args(argv)
    if args.num < 0:
        parser.error('--num must not be negative')
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with one_line_errors():
        path = write_report(args.work_dir, args.out, args.num, args.seed)
    print(path)


if __name__ == '__main__':
    with one_line_errors(program=True):
        main()
