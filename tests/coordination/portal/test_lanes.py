from hypothesis import given
from hypothesis import strategies as st

from coordination.portal.lanes import pack_lanes

stretches = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 12)), max_size=40)


@given(stretches)
def test_pack_lanes_of_any_stretches_never_overlaps_within_a_lane(given_stretches):
    lanes = pack_lanes(given_stretches)

    taken = [
        (lane, column + step)
        for lane, (column, span) in zip(lanes, given_stretches, strict=True)
        for step in range(span)
    ]
    assert len(taken) == len(set(taken))


@given(stretches)
def test_pack_lanes_of_any_stretches_uses_as_few_lanes_as_the_deepest_column(
    given_stretches,
):
    lanes = pack_lanes(given_stretches)

    depth = max(
        (
            sum(column <= here < column + span for column, span in given_stretches)
            for here in range(1, 53)
        ),
        default=0,
    )
    assert max(lanes, default=-1) + 1 == depth


def test_pack_lanes_with_equal_start_puts_the_longer_stretch_higher():
    assert pack_lanes([(1, 1), (1, 9)]) == [1, 0]
