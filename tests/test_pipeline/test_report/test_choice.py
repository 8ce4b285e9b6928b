import pytest

from mmamr.pipeline.report import choice
from mmamr.pipeline.report.choice import Rating, least_certain, lowest_iou, random_indices, rate
from mmamr.utils import InputError


def indices(ratings):
    return [one.index for one in ratings]


def test_the_least_certain_come_first_and_then_those_of_other_classes():
    ratings = [
        Rating(0, [0], 0.9),
        Rating(1, [0], 0.1),
        Rating(2, [0, 1], 0.3),
        Rating(3, [0], 0.2),
        Rating(4, [2], 0.8),
        Rating(5, [2], 0.7),
        Rating(6, [3], None),
    ]
    # one of classes 1 and 2, then two of class 2, then what makes three of class 0 is there already
    assert indices(least_certain(ratings, 2)) == [1, 3, 2, 5, 4]
    assert indices(least_certain(ratings, 10)) == [1, 3, 2, 5, 4, 0]
    assert least_certain([Rating(0, [0])], 3) == []


def test_with_many_classes_the_page_stays_small(monkeypatch):
    monkeypatch.setattr(choice, 'MOST_MORE', 5)
    # two of each class: all classes have one before any has another
    ratings = [Rating(index, [index // 2], index / 300) for index in range(300)]
    assert indices(least_certain(ratings, 2)) == [0, 1, 2, 4, 6, 8, 10]


def test_of_few_classes_there_are_three_each():
    ratings = [Rating(index, [int(index >= 50)], index / 100) for index in range(100)]
    assert indices(least_certain(ratings, 6)) == [0, 1, 2, 3, 4, 5, 50, 51, 52]


def test_lowest_iou():
    ratings = [Rating(index, iou=iou) for index, iou in enumerate([50.0, None, 10.0, 0.0, 90.0])]
    assert indices(lowest_iou(ratings, 2, without={2})) == [3, 0]


def test_random_photos_are_the_same_every_time():
    first = random_indices(100, 5, 0)
    assert first == sorted(first) == random_indices(100, 5, 0) != random_indices(100, 5, 1)
    assert not set(random_indices(100, 90, 0, without=set(first))) & set(first)
    assert random_indices(3, 5, 0) == [0, 1, 2] and random_indices(3, 5, 0, without={0, 1, 2}) == []


def test_broken_files_are_not_rated():
    def rating(index):
        if index == 1:
            raise InputError('broken')
        if index == 2:
            raise FileNotFoundError('missing')
        return Rating(index)

    assert indices(rate(range(5), rating)) == [0, 3, 4]


def test_of_many_photos_some_are_rated(monkeypatch):
    monkeypatch.setattr(choice, 'MOST_RATED', 10)
    rated = indices(rate(range(1000), Rating, seed=3))
    assert rated == random_indices(1000, 10, 3) and len(rated) == 10


def test_other_errors_are_not_hidden():
    def rating(index):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rate(range(2), rating)
