"""What the models' source says in comments."""

import pytest

from batches.models import BatchItem
from convgen.schema.comments import comments_in, comments_of
from generation.models import GenerationLog

SOURCE = '''
class Other(models.Model):
    plain = models.IntegerField()  # another one


class Commented(models.Model):
    """A docstring."""

    plain = models.IntegerField()
    # above, on
    # two lines
    above = models.IntegerField()
    after = models.IntegerField()
    beside = models.IntegerField()  # beside: with a colon
    multiline = models.IntegerField(
        # not this one
        default=1
    )  # at its end

    # Of the whole paragraph.
    first = models.IntegerField()
    own = models.IntegerField()  # its own
    last = models.IntegerField()

    lonely = models.IntegerField()

    class Meta:
        ordering = ["plain"]
        constraints = [
            # Above.
            models.CheckConstraint(condition=Q(plain__gte=0), name="check_above"),
            models.CheckConstraint(condition=Q(above__gte=0), name="check_silent"),
        ]
        indexes = [
            models.Index(fields=["plain"], name="index_beside"),  # which query?
            *[
                # Within another list.
                models.Index(fields=["above"], name="index_within"),
            ],
        ]
        triggers = [
            # Nothing is deleted.
            pgtrigger.Protect(name="protect", operation=pgtrigger.Delete),
        ]
'''


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("plain", ""),
        ("above", "Above, on two lines."),
        ("after", ""),
        ("beside", "Beside: with a colon."),
        ("multiline", "At its end."),
        ("first", "Of the whole paragraph."),
        ("own", "Its own."),
        ("last", "Of the whole paragraph."),
        ("lonely", ""),
    ],
)
def test_a_field_has_the_comment_beside_or_above_it_or_above_its_paragraph(field: str, said: str) -> None:
    assert comments_in(SOURCE, "Commented").fields[field] == said


def test_constraints_indexes_and_triggers_have_theirs_by_name() -> None:
    assert comments_in(SOURCE, "Commented").declared == {
        "check_above": "Above.",
        "check_silent": "",
        "index_beside": "Which query?",
        "index_within": "Within another list.",
        "protect": "Nothing is deleted.",
    }


def test_a_class_that_is_not_there_has_none() -> None:
    assert comments_in(SOURCE, "Missing").fields == {}


def test_a_model_has_its_own_and_those_of_the_abstract_ones() -> None:
    assert comments_of(GenerationLog).fields["run_id"] == "The attempts of one run are found by it."
    assert {"run_id", "workspace", "id"} <= comments_of(GenerationLog).fields.keys()
    assert comments_of(BatchItem).declared["batch_item_open"].startswith("Claiming")
