"""A trained model as a file that runs without mmamr: ONNX, or a program of ``torch.export``."""

import importlib
import json
import logging
import os
import os.path as osp
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.model import BaseModel
from mmseg.models.segmentors import BaseSegmentor
from packaging.version import Version
from torch import Tensor, nn

from mmamr.cams import normalize_maps
from mmamr.models import BaseCAMClassifier, TagGatedSegmentor
from mmamr.utils import InputError, atomic_write, evaluating, frozen

from .inference import init_model
from .inferencers import CAMInferencer, Inferencer, SegInferencer
from .inputs import list_photos, read_photo

TOLERANCE = 1e-4
"""How far a score of an exported model may be from that of the model."""
SIZES = ((96, 128), (131, 77), (64, 192))
"""Of the images that a model is checked on where no photos are named."""
DYNAMO = Version(torch.__version__) >= Version('2.7')
"""Whether this torch exports to ONNX by ``torch.export``; older ones trace, since 2.6 fails on some models."""

SCRIPT = """\
{title}

import json, os, sys
import numpy as np, onnxruntime
from PIL import Image, ImageOps

model = onnxruntime.InferenceSession(os.path.join(os.path.dirname(os.path.abspath(__file__)), {file!r}))
classes = json.loads(model.get_modelmeta().custom_metadata_map['classes'])
photo = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert('RGB')
image = photo.copy()
image.thumbnail(({limit}, {limit}))  # larger photos are made smaller, as in training
"""
SEGMENTATION_SCRIPT = """\
scores, mask = model.run(['scores', 'mask'], {'image': np.asarray(image)[None]})
png = Image.fromarray(np.array([one['value'] for one in classes], np.uint8)[mask[0]]).resize(photo.size, 0)
colours = {one['value']: one['color'] for one in classes}
png.putpalette([part for value in range(256) for part in colours.get(value, [0, 0, 0])])
png.save(sys.argv[2])
"""
CLASSIFIER_SCRIPT = """\
scores, cams = model.run(['scores', 'cams'], {'image': np.asarray(image)[None]})
print(json.dumps(dict(zip([one['name'] for one in classes[1:]], scores[0].tolist()))))
"""
MARK = 'without mmamr'
"""What stands in the first line of each script."""


class Preprocessing(nn.Module):
    """RGB images of uint8 ``(N, H, W, 3)`` as the network sees them: what the model's data preprocessor does.

    Args:
        preprocessor (nn.Module): mmseg's ``SegDataPreProcessor`` or mmpretrain's ``ClsDataPreprocessor``.

    Raises:
        InputError: If it does more than normalise.
    """

    def __init__(self, preprocessor: nn.Module) -> None:
        super().__init__()
        test_cfg: Any = getattr(preprocessor, 'test_cfg', None) or {}
        divisor: Any = getattr(preprocessor, 'pad_size_divisor', 1)
        if test_cfg.get('size') or test_cfg.get('size_divisor') or divisor > 1:
            raise InputError(
                'this model pads its images to certain sizes (test_cfg of data_preprocessor), which is not exported; '
                'drop that setting'
            )
        # photos come as RGB here, and as BGR there
        self.to_rgb = bool(getattr(preprocessor, 'channel_conversion', getattr(preprocessor, 'to_rgb', False)))
        normalises = getattr(preprocessor, '_enable_normalize', False)
        zero, one = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
        mean: Any = preprocessor.mean if normalises else zero
        std: Any = preprocessor.std if normalises else one
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer('mean', mean.detach().clone().float())
        self.register_buffer('std', std.detach().clone().float())

    def forward(self, image: Tensor) -> Tensor:
        """Normalised images ``(N, 3, H, W)``."""
        image = image.permute(0, 3, 1, 2).float()
        if not self.to_rgb:
            image = image.flip(1)
        return (image - self.mean) / self.std


class ExportedSegmentor(nn.Module):
    """A segmentation model as one function of images.

    Args:
        model (BaseSegmentor): mmseg's ``EncoderDecoder`` or one that extends it.
    """

    outputs = ('scores', 'mask')

    def __init__(self, model: BaseSegmentor) -> None:
        super().__init__()
        self.preprocessing = Preprocessing(model.data_preprocessor)
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Look at whole images once.

        Args:
            image (Tensor): RGB, uint8 ``(N, H, W, 3)``.

        Returns:
            tuple[Tensor, Tensor]: Class probabilities ``(N, C, H, W)``, and the class of each pixel ``(N, H, W)``.
        """
        model: Any = self.model
        inputs = self.preprocessing(image)
        logits = model.decode_head(model.extract_feat(inputs))
        if isinstance(model, TagGatedSegmentor):
            logits = model.gate(logits, inputs)
        logits = F.interpolate(logits, image.shape[1:3], mode='bilinear', align_corners=model.align_corners)
        if logits.shape[1] == 1:
            scores = logits.sigmoid()
            return scores, (scores[:, 0] > model.decode_head.threshold).to(torch.uint8)
        return logits.softmax(1), logits.argmax(1).to(torch.uint8)


class ExportedClassifier(nn.Module):
    """A classifier as one function of images.

    Args:
        model (BaseCAMClassifier): The classifier.
    """

    outputs = ('scores', 'cams')

    def __init__(self, model: BaseCAMClassifier) -> None:
        super().__init__()
        self.preprocessing = Preprocessing(model.data_preprocessor)
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Look at whole images once.

        Args:
            image (Tensor): RGB, uint8 ``(N, H, W, 3)``.

        Returns:
            tuple[Tensor, Tensor]: Class probabilities ``(N, K)``, and the CAMs of all classes in [0, 1], the mean of
            the branches, at the stride of the network ``(N, K, h, w)``.
        """
        inputs = self.preprocessing(image)
        model: Any = self.model
        # predict() goes through the samples one by one, which would fix their number
        scores = [model.logits(getattr(model, name)(inputs)).sigmoid() for name in model.branches]
        maps = [normalize_maps(one) for one in model.class_maps(inputs).values()]
        return torch.stack(scores).mean(0), torch.stack(maps).mean(0)


@dataclass
class Exported:
    """What was exported.

    Args:
        path (str): The model.
        differences (dict[str, float]): The largest difference of a score from the model's own, by image.
        script (str, optional): What runs it without mmamr. Defaults to None.
    """

    path: str
    differences: dict[str, float] = field(default_factory=dict)
    script: str | None = None


def export(
    checkpoint: str | os.PathLike,
    out_file: str,
    config: str | os.PathLike | Config | None = None,
    format: str = 'onnx',
    photos: Sequence[Any] = (),
) -> Exported:
    """Export the model of a checkpoint, and see that the file computes what the model does.

    The file takes ``image``, RGB uint8 ``(N, H, W, 3)`` of any N, H and W, and gives ``scores`` and ``mask`` of a
    segmentation model or ``scores`` and ``cams`` of a classifier; see :class:`ExportedSegmentor` and
    :class:`ExportedClassifier`. It looks at an image once, whole, without mirror image or CRF.

    Args:
        checkpoint (str | PathLike): Of a segmentation model or a classifier.
        out_file (str): ``.onnx`` or, for torch, ``.pt2``.
        config (str | PathLike | Config, optional): The config. Defaults to None: the one in the checkpoint.
        format (str): ``'onnx'`` or ``'torch-export'``. Defaults to 'onnx'.
        photos (Sequence): What to check it on. Defaults to none: three made-up images.

    Returns:
        Exported: The file, and how far it is from the model.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        InputError: If a package is missing, the model is of another kind, or the results differ by more than 1e-4.
    """
    suffix = {'onnx': '.onnx', 'torch-export': '.pt2'}.get(format)
    if suffix is None:
        raise InputError(f'no format {format!r}: there are onnx and torch-export')
    if osp.splitext(out_file)[1] != suffix:
        raise InputError(f'{out_file}: a model in the format {format} is called *{suffix}; name such a file')
    require_packages(format)
    if format == 'onnx':
        script_of(out_file)
    inferencer = open_model(checkpoint, config)
    model = inferencer.model
    for module in model.modules():
        # a file that is as good as the model has no processor's own precision in it
        if getattr(module, 'precision', None) == 'auto':
            module.precision = 'float32'
    wrapped = (ExportedSegmentor if isinstance(model, BaseSegmentor) else ExportedClassifier)(model).eval()
    images = check_images(photos, inferencer)
    folder = osp.dirname(osp.abspath(out_file))
    os.makedirs(folder, exist_ok=True)
    notes = dict(classes=json.dumps(inferencer.classes.as_list()), model=type(model).__name__)
    with tempfile.TemporaryDirectory(prefix='.tmp-', dir=folder) as scratch:
        draft = osp.join(scratch, f'model{suffix}')
        with evaluating(model), frozen(model), quiet_export():
            (write_onnx if format == 'onnx' else write_program)(wrapped, draft, notes)
        run = onnx_runner(draft) if format == 'onnx' else program_runner(draft)
        differences = compare(run, inferencer, images)
        worst = max(differences, key=differences.__getitem__)
        # not a number is no small difference
        if not differences[worst] <= TOLERANCE:
            raise InputError(
                f'{out_file} is not written: on {worst} its scores differ by {differences[worst]:.2g} from those of '
                f'{os.fspath(checkpoint)}, more than {TOLERANCE:g}; try the other --format, or another version of torch'
            )
        with open(draft, 'rb') as file, atomic_write(out_file) as target:
            while block := file.read(1 << 24):
                target.write(block)
    exported = Exported(out_file, differences)
    if format == 'onnx':
        exported.script = write_script(out_file, inferencer)
    return exported


def require_packages(format: str) -> None:
    """See that what an export needs is there.

    Raises:
        InputError: One line with the command that installs it.
    """
    if format == 'torch-export':
        if Version(torch.__version__) < Version('2.6'):
            raise InputError(f'torch-export needs torch 2.6 or newer, this is {torch.__version__}; take --format onnx')
        return
    for name in ('onnx', 'onnxruntime', *(['onnxscript'] if DYNAMO else [])):
        try:
            importlib.import_module(name)
        except ImportError:
            raise InputError(f"{name} is not installed, which an export needs: pip install 'mmamr[export]'") from None


def open_model(checkpoint: str | os.PathLike, config: str | os.PathLike | Config | None) -> Inferencer:
    """The inferencer of a checkpoint, on the CPU, which looks at an image once.

    Raises:
        InputError: If it is neither a segmentation model nor a classifier.
    """
    model: BaseModel = init_model(config, checkpoint)
    if isinstance(getattr(model, 'module', model), BaseSegmentor):
        return SegInferencer(model)
    if isinstance(model, BaseCAMClassifier):
        return CAMInferencer(model, scales=(1.0,), flip=False)
    raise InputError(
        f'{os.fspath(checkpoint)} is a {type(model).__name__}; a segmentation model or classifier is exported'
    )


def limit_of(inferencer: Inferencer) -> int | None:
    """The long side that the model's photos are made smaller to."""
    loader = inferencer.loader if isinstance(inferencer, SegInferencer) else inferencer.pipeline
    return getattr(loader, 'max_long_side', None)


def check_images(photos: Sequence[Any], inferencer: Inferencer) -> dict[str, np.ndarray]:
    """The images that an export is checked on, RGB uint8, at the size that the network sees."""
    if photos:
        named = {str(photo): read_photo(photo) for photo in list_photos(list(photos))[:3]}
    else:
        rng = np.random.default_rng(0)
        named = {}
        for height, width in SIZES:
            coarse = torch.from_numpy(rng.uniform(0, 255, (1, 3, height // 16 + 1, width // 16 + 1)))
            smooth = F.interpolate(coarse, (height, width), mode='bilinear')[0].permute(1, 2, 0).numpy()
            noisy = smooth + rng.normal(0, 12, smooth.shape)
            named[f'a made-up image of {width}x{height}'] = noisy.clip(0, 255).astype(np.uint8)
    loader = inferencer.loader if isinstance(inferencer, SegInferencer) else inferencer.pipeline
    return {name: loader.transform(dict(img=image))['img'] for name, image in named.items()}


def compare(run: Any, inferencer: Inferencer, images: dict[str, np.ndarray]) -> dict[str, float]:
    """The largest difference between the scores of an exported model and the model's own, by image."""
    differences = {}
    for name, image in images.items():
        scores = run(image[None])[0]
        if isinstance(inferencer, SegInferencer):
            own = inferencer.probabilities([image])[0].numpy()
        else:
            own = inferencer.forward([image], [[]])[0].pred_score.numpy()
        same = scores[0].shape == own.shape
        differences[name] = float(np.abs(scores[0] - own).max()) if same else float('inf')
    return differences


@contextmanager
def quiet_export() -> Iterator[None]:
    """Keep the exporters' talk from the terminal, and mmseg's ``resize`` from sizes as numbers."""

    def resize(
        input: Tensor,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = 'nearest',
        align_corners: bool | None = None,
        warning: bool = True,
    ) -> Tensor:
        return F.interpolate(input, size, scale_factor, mode, align_corners)

    from mmseg.models.utils import resize as original

    modules = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(('mmseg.', 'mmamr.')) and getattr(module, 'resize', None) is original
    ]
    loggers = [logging.getLogger(name) for name in ('torch.onnx', 'onnxscript', 'onnx_ir', 'torch.export')]
    levels = [logger.level for logger in loggers]
    try:
        for module in modules:
            module.resize = resize  # type: ignore[attr-defined]
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for module in modules:
            module.resize = original  # type: ignore[attr-defined]
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)


def example_image() -> Tensor:
    """Two images to trace a model with; no side is like another, or like what a network would make of it."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 97, 131, 3), dtype=np.uint8))


def write_onnx(model: ExportedSegmentor | ExportedClassifier, path: str, notes: dict[str, str]) -> None:
    """Write a model as ONNX, with notes."""
    import onnx

    names: Any = dict(input_names=['image'], output_names=list(model.outputs))
    if DYNAMO:
        dynamic = torch.export.Dim.DYNAMIC
        program = torch.onnx.export(
            model,
            (example_image(),),
            dynamo=True,
            dynamic_shapes=dict(image={0: dynamic, 1: dynamic, 2: dynamic}),
            opset_version=18,
            external_data=False,
            verbose=False,
            **names,
        )
        assert program is not None
        program.save(path)
    else:
        axes = {0: 'batch', 1: 'height', 2: 'width'}
        torch.onnx.export(
            model,
            (example_image(),),
            path,
            opset_version=17,
            dynamic_axes=dict(image=axes, **{name: {0: 'batch'} for name in model.outputs}),
            **names,
        )
    proto = onnx.load(path)
    onnx.helper.set_model_props(proto, notes)
    onnx.save(proto, path)


def write_program(model: ExportedSegmentor | ExportedClassifier, path: str, notes: dict[str, str]) -> None:
    """Write a model as a program of ``torch.export``, with notes."""
    dynamic = torch.export.Dim.DYNAMIC
    shapes = dict(image={0: dynamic, 1: dynamic, 2: dynamic})
    program = torch.export.export(model, (example_image(),), dynamic_shapes=shapes, strict=False)
    torch.export.save(program, path, extra_files=dict(notes))


def onnx_runner(path: str) -> Any:
    """The outputs of an ONNX file as a function of images."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    names = [one.name for one in session.get_outputs()]
    return lambda images: session.run(names, {'image': images})


def program_runner(path: str) -> Any:
    """The outputs of a program as a function of images."""
    program = torch.export.load(path).module()

    def run(images: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            return [one.numpy() for one in program(torch.from_numpy(images))]

    return run


def script_of(out_file: str) -> str:
    """The script that is written beside an ONNX file.

    Raises:
        InputError: If another file has its name.
    """
    folder, name = osp.split(out_file)
    path = osp.join(folder, f'run_{osp.splitext(name)[0]}.py')
    if osp.exists(path):
        with open(path, encoding='utf-8', errors='replace') as file:
            if MARK not in file.readline():
                raise InputError(f'{path} is in the way of the script that runs the model: name another --out')
    return path


def write_script(out_file: str, inferencer: Inferencer) -> str:
    """Write a script beside an ONNX file that runs it by onnxruntime, Pillow and NumPy alone."""
    path = script_of(out_file)
    segments = isinstance(inferencer, SegInferencer)
    usage = f'python {osp.basename(path)} photo.jpg{" mask.png" if segments else ""}'
    title = f'"""{"The mask" if segments else "The tags"} of a photo, {MARK}: {usage}"""'
    limit = limit_of(inferencer)
    text = SCRIPT.format(title=title, file=osp.basename(out_file), limit=limit)
    if limit is None:
        text = ''.join(line for line in text.splitlines(True) if 'thumbnail' not in line)
    with atomic_write(path, 'w', encoding='utf-8') as file:
        file.write(text + (SEGMENTATION_SCRIPT if segments else CLASSIFIER_SCRIPT))
    return path
