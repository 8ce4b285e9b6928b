"""What stands in the work folder of a pipeline."""

import json
import os.path as osp
from dataclasses import dataclass, field
from typing import Any

from mmengine.config import Config

from ..manifest import Manifest
from ..settings import leaves, read_settings
from .losses import Curve, read_losses
from .scores import Score, scores_of


@dataclass
class StageFiles:
    """What is known of one stage.

    Args:
        name (str): Its name.
        folder (str): Its work folder.
        record (dict): Its record in the manifest; empty where it was not run.
        settings (Config, optional): Its config, names of other stages not replaced; None where nobody wrote it down.
        details (list[dict]): ``details`` of its metrics; empty where it is not done or measured nothing.
        losses (dict): See :func:`.losses.read_losses`.
    """

    name: str
    folder: str
    record: dict[str, Any] = field(default_factory=dict)
    settings: Config | None = None
    details: list[dict[str, Any]] = field(default_factory=list)
    losses: dict[str, Curve] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """``done``, ``failed``, ``interrupted``, ``running`` or ``not run``."""
        return self.record.get('state', 'not run')

    @property
    def done(self) -> bool:
        """Whether it is done."""
        return self.state == 'done'

    @property
    def loop(self) -> str | None:
        """Name of the test loop of a stage that tests; None of a training, or where its settings are not known."""
        if self.record.get('kind') != 'test' or self.settings is None:
            return None
        return (self.settings.get('test_cfg') or {}).get('type', 'TestLoop').rpartition('.')[2]

    @property
    def setting_texts(self) -> dict[str, str]:
        """Its settings as text, by dotted key."""
        return {} if self.settings is None else {key: repr(value) for key, value in leaves(self.settings.to_dict())}

    @property
    def validates(self) -> bool:
        """Whether its metrics are of other images than those that it read."""
        return self.record.get('kind') == 'train'

    @property
    def images(self) -> int | None:
        """How many images it read."""
        return self.record.get('inputs', {}).get('images', {}).get('count')

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """Details of everything that it measured by name of the row; each with its ``classes``."""
        return {name: {**row, 'classes': one['classes']} for one in self.details for name, row in one['rows'].items()}

    @property
    def scores(self) -> list[Score]:
        """The mIoU of everything that it measured."""
        return scores_of(self.name, self.record.get('metrics') or {}, self.rows)

    def output(self, name: str) -> str | None:
        """Path of ``'out_dir'`` or ``'checkpoint'``, also where the work folder was moved; None where it has none."""
        path = self.record.get('outputs', {}).get(name, {}).get('path')
        if path is None:
            return None
        inside = osp.join(self.folder, osp.basename(path))
        return inside if osp.exists(inside) else path


def read_stages(manifest: Manifest) -> list[StageFiles]:
    """The stages of a pipeline in their order, also those that were not run yet.

    Args:
        manifest (Manifest): Of the pipeline.

    Returns:
        list[StageFiles]: The stages.
    """
    names = manifest.pipeline.get('stages') or list(manifest.stages)
    return [_read_stage(manifest, name) for name in names]


def _read_stage(manifest: Manifest, name: str) -> StageFiles:
    folder, record = manifest.folder(name), manifest.stages.get(name)
    if record is None:
        return StageFiles(name, folder)
    return StageFiles(
        name,
        folder,
        record,
        settings=read_settings(manifest.settings_file(name)),
        details=_read_details(manifest.details_file(name)) if record['state'] == 'done' else [],
        losses=read_losses(folder) if record['kind'] == 'train' else {},
    )


def _read_details(path: str) -> list[dict[str, Any]]:
    """The details of a stage's metrics; nothing where the file is missing, broken or of another kind."""
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except (OSError, ValueError, RecursionError):
        return []
    fine = isinstance(content, list) and all(
        isinstance(one, dict)
        and isinstance(one.get('classes'), list)
        and all(isinstance(name, str) for name in one['classes'])
        and isinstance(one.get('rows'), dict)
        and all(isinstance(row, dict) and _is_row(row) for row in one['rows'].values())
        for one in content
    )
    return content if fine else []


def _is_row(row: dict[str, Any]) -> bool:
    """Whether a row of details has numbers, and lists of numbers or None, alone."""
    return all(
        isinstance(value, (int, float))
        or (isinstance(value, list) and all(one is None or isinstance(one, (int, float)) for one in value))
        for value in row.values()
    )
