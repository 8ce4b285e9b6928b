import pytest

from mmamr.utils import has_fast_bfloat16


@pytest.mark.parametrize(
    'text, answer',
    [
        ('processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 clzero\n', True),
        ('flags\t\t: fpu amx_bf16 amx_tile\n', True),
        ('flags\t\t: fpu avx2 avx512f avx512_bf16x\n', False),
        # a name is no flag
        ('model name\t: avx512_bf16\nflags\t\t: fpu avx2\n', False),
        ('', False),
    ],
)
def test_by_the_flags_of_the_processor(tmp_path, text, answer):
    (tmp_path / 'cpuinfo').write_text(text)
    assert has_fast_bfloat16(str(tmp_path / 'cpuinfo')) is answer


def test_no_where_nobody_tells(tmp_path):
    assert has_fast_bfloat16(str(tmp_path / 'missing')) is False
