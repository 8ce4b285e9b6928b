"""What will be done with a stage, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .fingerprints import Fingerprint


@dataclass
class Decision:
    """What will be done with a stage, and why.

    Args:
        stage (str): Its name.
        kind (str): ``'train'`` or ``'test'``.
        config (str): Its config file.
        action (str): ``'run'``, ``'resume'``, ``'skip'`` (it is done), ``'ask'`` (it is done, but with other settings
            or inputs, and nobody asked to make it again) or ``'leave'`` (it was not asked for).
        reason (str): Why, in a few words.
        config_hash (str): Of the settings.
        settings (dict): Those that matter, as text by dotted key.
        inputs (dict): What it reads and is there: name to fingerprint.
        missing (dict): What it reads and is not there: name to what to do about it.
        later (dict): What it reads and a stage before it will make: name to that stage.
        names (dict): Paths of what earlier stages made, by ``stage.what``.
        outputs (dict): What it writes: name to path.
        present (dict): What of that is there: name to a few words.
        resume_from (str, optional): Checkpoint that a training resumes from.
    """

    stage: str
    kind: str
    config: str
    action: str = 'leave'
    reason: str = 'not asked for'
    config_hash: str = ''
    settings: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Fingerprint] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    later: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    present: dict[str, str] = field(default_factory=dict)
    resume_from: str | None = None

    @property
    def works(self) -> bool:
        """Whether the stage does something."""
        return self.action in ('run', 'resume')

    @property
    def fails(self) -> bool:
        """Whether the stage is to be run, but cannot."""
        return bool(self.missing) and (self.works or self.action == 'ask')

    def __str__(self) -> str:
        if self.action == 'ask':
            return f'{self.stage}: done, but {self.reason}; --redo makes it again'
        return f'{self.stage}: {self.action}, {self.reason}'

    def describe(self) -> str:
        """The decision as some lines of a plan."""
        rows = [('config', self.config)]
        rows += [
            ('reads', f'{name}: {print_["path"] or "drawn by the data set"}, {count(print_)}')
            for name, print_ in self.inputs.items()
        ]
        rows += [('reads', f'{name}: not yet, {maker} makes it') for name, maker in self.later.items()]
        rows += [('reads', f'{name}: MISSING, {cure}') for name, cure in self.missing.items()]
        rows += [
            ('writes', f'{name}: {path}, {self.present.get(name, "not there")}') for name, path in self.outputs.items()
        ]
        return '\n'.join([f'{self} ({self.kind})', *(f'    {what:<7}{text}' for what, text in rows)])


def count(fingerprint: Fingerprint) -> str:
    """How much there is, for people."""
    return f'{fingerprint["count"]} {fingerprint.get("unit", "files")}'


def changed_inputs(old: Mapping[str, Fingerprint], new: Mapping[str, Fingerprint]) -> list[str]:
    """The inputs that differ in their hash, each with what changed."""
    texts = []
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            texts.append(f'{name} is {"new" if before is None else "no longer read"}')
        elif before['hash'] != after['hash']:
            more = '' if before['count'] == after['count'] else f' ({count(before)} before, {count(after)} now)'
            texts.append(f'{name}{more}')
    return texts
