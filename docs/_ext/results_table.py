"""Sphinx directive that shows a table of docs/results/data, with the command that measures it.

.. code-block:: none

    ```{results-table} amr_gain_voc-animals
    ```

The name is that of the CSV file: ``<table>_<data set>``.
"""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from results import Results, read_paper, read_results
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

COMMIT = '2468719'
PAPER = 'paper, VOC 2012 train'


class ResultsTable(SphinxDirective):
    """Table, command and origin of what an experiment measured."""

    required_arguments = 1
    option_spec = {'arguments': directives.unchanged, 'without-command': directives.flag}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        source = Path(self.env.srcdir) / 'results' / 'data' / f'{name}.csv'
        self.env.note_dependency(str(source))
        try:
            results = read_results(source)
        except (OSError, ValueError) as error:
            raise self.error(str(error)) from None
        table, _, data = name.rpartition('_')
        parts: list[nodes.Node] = []
        if 'without-command' not in self.options:
            parts.append(self.command(table, data))
        paper = read_paper(source.parent / 'paper.csv').get(table, {})
        return [*parts, render(results, paper), self.origin(name, results)]

    def command(self, table: str, data: str) -> nodes.Node:
        """Today's command that measures the table."""
        config = f'configs/experiments/{table}_{data}.py'  # a table that one data set alone has
        if not (Path(self.env.srcdir).parent / config).exists():
            config = f'configs/experiments/{table}.py'
        line = f'python tools/run_experiments.py {config} --data {data} {self.options.get("arguments", "--jobs 2")}'
        block = nodes.literal_block(line, line)
        block['language'] = 'shell'
        return block

    def origin(self, name: str, results: Results) -> nodes.Node:
        """Where the numbers come from, with the file."""
        if results.per_seed:
            text = 'The number of each seed: '
        else:
            text = (
                f'Measured at commit {COMMIT} with the configs of that time; numbers of each seed were not kept. Data: '
            )
        paragraph = nodes.paragraph('', text)
        file = f'{name}.csv'
        link = addnodes.download_reference('', '', reftarget=f'/results/data/{file}', refdoc=self.env.docname)
        link += nodes.literal(file, file)
        paragraph += link
        return paragraph


def render(results: Results, paper: dict[str, float]) -> nodes.table:
    """The table as document nodes."""
    head = ['', *results.columns, 'seeds', *([PAPER] if paper else [])]
    body = []
    for row, cells in results.rows.items():
        line = [row, *(str(cells.get(column, '')) for column in results.columns), str(results.seeds.get(row, ''))]
        if paper:
            line.append(f'{paper[row]:.1f}' if row in paper else '')
        body.append(line)
    table = nodes.table(classes=['results'])
    group = nodes.tgroup(cols=len(head))
    table += group
    for _ in head:
        group += nodes.colspec(colwidth=1)
    group += nodes.thead('', line_of(head))
    group += nodes.tbody('', *(line_of(line) for line in body))
    return table


def line_of(texts: list[str]) -> nodes.row:
    """One line of a table."""
    return nodes.row('', *(nodes.entry('', nodes.paragraph(text, text)) for text in texts))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive('results-table', ResultsTable)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
