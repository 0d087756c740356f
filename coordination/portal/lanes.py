"""Pack stretches into as few lanes as possible; pure.

A lane is one line of bars in which no two bars overlap. Board rows and weeks of the month both
pack their bars with this module.

>>> pack_lanes([(1, 3), (2, 2), (4, 1)])
[0, 1, 0]
"""

from collections.abc import Sequence


def pack_lanes(stretches: Sequence[tuple[int, int]]) -> list[int]:
    """Give every stretch a lane, counted from 0, using the fewest lanes there can be.

    Args:
        stretches: Pairs of first column and number of columns (at least 1), in any order.

    Returns:
        The lane of each stretch, in the order given. Earlier and longer stretches lie higher.
    """
    order = sorted(
        range(len(stretches)),
        key=lambda index: (stretches[index][0], -stretches[index][1], index),
    )
    lanes = [0] * len(stretches)
    first_free: list[int] = []
    for index in order:
        column, span = stretches[index]
        for lane, free_from in enumerate(first_free):  # noqa: B007 - used after the loop
            if free_from <= column:
                break
        else:
            lane = len(first_free)
            first_free.append(0)
        first_free[lane] = column + span
        lanes[index] = lane
    return lanes
