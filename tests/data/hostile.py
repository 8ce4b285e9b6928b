"""Files that are hostile, broken or of another kind, as bytes by what they are: for the tools and for the functions."""

import io
import json
import pickle
import zipfile

import numpy as np
import torch
from PIL import Image

HTML = b'<!DOCTYPE html><html><body>404 Not Found</body></html>'
EPS = b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\nshowpage\n'


class Bomb:
    """Writes a file where it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zipped(name, data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def saved(content):
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def image(size=(64, 48), kind='PNG', mode='RGB'):
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()


def anything(good, ran):
    """What may stand in the place of any file."""
    return {
        'no byte': b'',
        'a zero': b'\0',
        'ones': b'\xff' * 1000,
        'a table': b'a,b,c\n1,2,3\n',
        'HTML': HTML,
        'EPS': EPS,
        'a script': b'#!/bin/sh\ntouch ' + str(ran).encode() + b'\n',
        'a pickle': pickle.dumps(Bomb(ran)),
        'a zip': zipped('a.txt', b'a' * 10),
        'half': good[: len(good) // 2],
        'its beginning': good[:20],
        'all but its end': good[: len(good) - 8],
        'bits altered': bytes(byte ^ 0x20 for byte in good[:2000]) + good[2000:],
    }


def cams(ran, good):
    maps = np.zeros((1, 12, 16), np.float16)
    fine = {'classes': np.array([0]), 'size': np.array([48, 64]), 'map.walk': maps}
    changes = {
        'class 7 of 3': {'classes': np.array([7])},
        'class 300': {'classes': np.array([300])},
        'half a class': {'classes': np.array([0.5])},
        'maps of another size': {'size': np.array([480, 640])},
        'size of a bomb': {'size': np.array([2**31, 2**31])},
        'negative size': {'size': np.array([-48, 64])},
        'size in words': {'size': np.array(['a', 'b'])},
        'values above 1': {'map.walk': maps + 2},
        'values below 0': {'map.walk': maps - 1},
        'nan': {'map.walk': maps * np.nan},
        'a map without classes': {'map.walk': maps[0]},
        'large maps': {'map.walk': np.zeros((1, 5000, 5000), np.float16)},
        'pickled maps': {'map.walk': np.array([Bomb(ran)], dtype=object)},
        'three maps': {'map.other': maps, 'map.third': maps},
        'a foreign array': {'foreign': maps},
        'powers alone': {'powers': np.ones(2)},
        'background alone': {'background': maps},
        'negative powers': {'background': maps, 'powers': np.array([-1.0])},
    }
    return {**anything(good, ran), **{name: npz(**{**fine, **change}) for name, change in changes.items()}}


def checkpoints(ran, good):
    content = torch.load(io.BytesIO(good), weights_only=True)
    state = content['state_dict']
    first = next(iter(state))
    changes = {
        'an empty dict': {},
        'an empty list': [],
        'a number': 7,
        'a text': 'text',
        'no tensors': dict(state_dict={}),
        'a number of tensors': dict(state_dict=7),
        'a text as a tensor': dict(state_dict={first: 'text'}),
        'another shape': dict(state_dict={**state, first: state[first][:1]}),
        'nan': dict(state_dict={**state, first: state[first] * float('nan')}),
        'a foreign tensor': dict(state_dict={**state, 'foreign': torch.zeros(1)}),
        'a tensor missing': dict(state_dict={name: value for name, value in state.items() if name != first}),
        'a bomb beside the tensors': dict(state_dict=state, other=Bomb(ran)),
        'a bomb': Bomb(ran),
    }
    return {**anything(good, ran), **{name: saved(change) for name, change in changes.items()}}


def photos(ran, good):
    bomb = io.BytesIO()
    Image.new('1', (30000, 30000)).save(bomb, 'PNG')
    found = anything(good, ran)
    del found['bits altered']  # good bytes in another order may be a picture still
    return {**found, 'a large PNG': bomb.getvalue(), 'ICO': image(kind='ICO', size=(16, 16)), 'PDF': image(kind='PDF')}


def masks(ran, good):
    values, deep = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.full((48, 64), 77, np.uint8)).save(values, 'PNG')
    Image.fromarray(np.full((48, 64), 300, np.uint16)).save(deep, 'PNG')
    colours = io.BytesIO()
    Image.new('RGB', (64, 48), (200, 10, 30)).save(colours, 'PNG')
    found = anything(good, ran)
    del found['bits altered'], found['all but its end']  # without its last bytes all pixels of a PNG are there
    return {
        **found,
        'a colour of no class': colours.getvalue(),
        'another size': image(mode='L', size=(9, 9)),
        'values above 255': deep.getvalue(),
        'a value of no class': values.getvalue(),
    }


def manifests(ran, good):
    whole = json.loads(good)
    changes = {
        'a number': 7,
        'a list': [],
        'nothing in it': {},
        'another format': dict(whole, format=9),
        'a list of stages': dict(whole, stages=[]),
        'a number as a stage': dict(whole, stages=dict(cam=7)),
        'a path as a stage': dict(whole, stages={'../../elsewhere': whole['stages']['cam']}),
        'a list as the pipeline': dict(whole, pipeline=['a']),
    }
    texts = {name: json.dumps(change).encode() for name, change in changes.items()}
    return {**anything(good, ran), **texts, 'deep lists': b'[' * 100_000}
