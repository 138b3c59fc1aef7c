from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manuel_release.aws.attributes import from_attribute, from_item, to_attribute, to_item

values = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1), values, max_size=5))
def test_an_item_comes_back_as_it_was(item) -> None:
    assert from_item(to_item(item)) == item


def test_a_truth_value_is_not_a_number() -> None:
    assert to_attribute(True) == {"BOOL": True}
    assert to_attribute(1) == {"N": "1"}


def test_a_number_that_dynamodb_shortened_is_still_that_number() -> None:
    assert from_attribute({"N": "2"}) == 2.0
    assert from_attribute({"N": "0.1"}) == 0.1


def test_a_tuple_is_kept_as_a_list() -> None:
    assert from_attribute(to_attribute((1, "a"))) == [1, "a"]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(number) -> None:
    with pytest.raises(ValueError, match="DynamoDB has no number"):
        to_attribute(number)


def test_what_cannot_be_kept_is_refused() -> None:
    with pytest.raises(TypeError, match="a set cannot be kept"):
        to_attribute({1, 2})


def test_what_was_never_written_is_not_guessed() -> None:
    with pytest.raises(TypeError, match="type SS"):
        from_attribute({"SS": ["a"]})
