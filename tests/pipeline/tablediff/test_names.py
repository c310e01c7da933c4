"""Names as people write them: lists, quotes as in SQL, and what was meant by a name that is not there."""

import pytest

from olist_pipeline.tablediff.contract import ContractError, fold
from olist_pipeline.tablediff.names import nearest, split_assignment, split_names
from olist_pipeline.tablediff.sources import relation_text
from olist_pipeline.tablediff.sql import ascending, literal, quote, relation_name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        (" a , b c ", ("a", "b c")),
        ('"a,b",c', ("a,b", "c")),
        ('c, "a,b"', ("c", "a,b")),
        ('"a ""b"" c"', ('a "b" c',)),
        ("a.b,c", ("a.b", "c")),
    ],
)
def test_names_stand_between_separators(text, names):
    assert split_names(text, ",") == names


def test_any_separator_will_do():
    assert split_names('main."a.b"', ".") == ("main", "a.b")
    assert split_names("a,b", ".") == ("a,b",)


@pytest.mark.parametrize("text", ["", "a,", ",a", "a,,b", '"a', '"a"b', '""'])
def test_what_is_no_list_of_names_is_refused(text):
    with pytest.raises(ContractError, match=r"^Cannot tell the names in .* apart: put ','"):
        split_names(text, ",")


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("a=1", ("a", "1")),
        (" a = 1=2 ", ("a", "1=2")),
        ("a=", ("a", "")),
        ('"a=b" = c', ("a=b", "c")),
        ('"a""b"=c\nd', ('a"b', "c\nd")),
        ("a", None),
        ("=a", None),
        (" =a", None),
    ],
)
def test_an_assignment_has_a_name(text, pair):
    assert split_assignment(text) == pair


@pytest.mark.parametrize(
    ("name", "known", "end"),
    [
        ("pricee", ["price", "freight"], "did you mean 'price'?"),
        ("PRICE", ["Price"], "did you mean 'Price'?"),
        ("x", ["price", "freight"], "there are: price, freight."),
        ("x", [str(n) * 3 for n in range(10)], f"there are: {', '.join(str(n) * 3 for n in range(10))}."),
        ("x", [str(n) for n in range(100, 111)], f"there are: {', '.join(map(str, range(100, 110)))} and 1 more."),
        ("id", ["\ufeffid"], r"did you mean '\ufeffid'?"),
        ("x", [], "there are none."),
    ],
)
def test_the_name_that_was_meant_is_said_or_those_that_there_are(name, known, end):
    assert nearest(name, known) == end


def test_names_and_texts_are_quoted():
    assert quote('a"b') == '"a""b"'
    assert literal("it's") == "'it''s'"
    assert relation_name("old", 'a"b') == '"old"."a""b"'
    assert ascending("a, b") == "a ASC NULLS LAST, b ASC NULLS LAST"
    main = "".join(["ma", "in"])
    names = [("a", "t"), (main, "t"), ("s", "t.x"), (main, 'a"b')]
    assert [relation_text(*name) for name in names] == ["a.t", "t", 's."t.x"', '"a""b"']


def test_case_does_not_matter_in_ascii_alone():
    assert fold("ABCXYZabcxyz_09[{@`") == "abcxyzabcxyz_09[{@`"
    assert fold("ÄÉ") == "ÄÉ"
