"""Time a segmentation model's test with scales, mirror image and CRF against the form before: seconds a photo.

Before, the network ran as it was built and the CRF had all classes; ours runs a copy of the backbone with folded norms
in ``channels_last``, and leaves classes out of the CRF that are likely nowhere. How many these are depends on the
weights: with those of a training the ratio is that of a real run. Loading is in neither.

    python benchmarks/ms_flip_crf.py --threads 1 --checkpoint work_dirs/…/iter_400.pth
"""

import argparse
import os.path as osp
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from results import add_csv_option, in_turns, middle, write_rows
from torch import Tensor

import mmamr  # noqa: F401  (before anything of OpenMMLab)
from mmamr.compat import keep_freed_memory
from mmamr.engine import apply_test_time
from mmamr.models import TestTimeSegmentor
from mmamr.refine import dense_crf
from mmamr.registry import DATASETS, MODELS

CONFIGS = osp.join(osp.dirname(osp.abspath(__file__)), '..', 'configs', 'deeplabv2')
CONFIG = osp.join(CONFIGS, 'deeplabv2_mobilenet-v2-d16_1xb16-400i_voc-animals-225x225.py')
SCALES = (0.5, 0.75, 1.0, 1.25, 1.5)


class AsBefore(TestTimeSegmentor):
    """The network as it was built, and a CRF of all classes."""

    def test_step(self, data: dict | Sequence) -> list:
        return super(TestTimeSegmentor, self).test_step(data)

    def fit_to_photo(self, probabilities: Tensor, photo: np.ndarray) -> Tensor:
        refined = dense_crf(np.ascontiguousarray(photo[..., ::-1]), probabilities.numpy(), **(self.crf or {}))
        return torch.from_numpy(refined)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default=CONFIG, help='of several classes; default: DeepLab-v2 on voc-animals')
    parser.add_argument('--checkpoint', help='weights; random ones if none is given')
    parser.add_argument('--images', type=int, default=10, help='photos, spread over the test set; default: 10')
    parser.add_argument('--repeats', type=int, default=3, help='of which the median is shown')
    parser.add_argument('--threads', type=int, default=2)
    add_csv_option(parser)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    keep_freed_memory()  # as tools/test.py does
    cfg = Config.fromfile(args.config)
    cfg.test_time = {'scales': SCALES, **cfg.get('test_time', {}), 'ms': True, 'flip': True, 'crf': True}
    apply_test_time(cfg)
    with DefaultScope.overwrite_default_scope('mmseg'):
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        for part in (cfg.model.module, cfg.model.module.backbone):
            part.pop('init_cfg', None)
        model = MODELS.build(cfg.model).eval()
    if args.checkpoint:
        state = torch.load(args.checkpoint, map_location='cpu', weights_only=True)
        model.module.load_state_dict(state['state_dict'])
    forms = {'as before': AsBefore(model.module, model.crf), 'ours': TestTimeSegmentor(model.module, model.crf)}
    step = max(len(dataset) // args.images, 1)
    photos = [pseudo_collate([dataset[index]]) for index in range(0, len(dataset), step)][: args.images]

    labels: dict[str, list[Tensor]] = {}

    @torch.no_grad()
    def run(name: str) -> None:
        form = forms[name].eval()
        labels[name] = [form.test_step(photo)[0].pred_sem_seg.data for photo in photos]

    times = in_turns({name: lambda name=name: run(name) for name in forms}, args.repeats)
    differing = torch.cat([(a != b).flatten() for a, b in zip(labels['as before'], labels['ours'])])
    rows = []
    for name, values in times.items():
        rows.append(
            {
                'photos': f'{len(photos)}, {"trained" if args.checkpoint else "random"} weights',
                'form': name,
                'processor time a photo (s)': f'{middle(values) / len(photos):.3f}',
                'ratio': f'{middle([one / other for one, other in zip(times["as before"], values)]):.2f}',
                'pixels that differ (%)': '' if name == 'as before' else f'{100 * float(differing.float().mean()):.3f}',
            }
        )
        print(*(f'{key}: {value}' for key, value in rows[-1].items()), sep=', ')
    write_rows(args.csv, rows)


if __name__ == '__main__':
    main()
