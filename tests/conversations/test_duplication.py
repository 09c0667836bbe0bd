"""A copy of a template: `conversations.duplication.duplicate`."""

import pytest

from conversations.duplication import duplicate
from conversations.models import PromptTemplate, TemplateApplicability
from tests.factories import DimensionFactory, PromptTemplateFactory

pytestmark = pytest.mark.django_db


def test_the_copy_says_the_same_and_applies_to_the_same_but_starts_anew() -> None:
    template = PromptTemplateFactory(name="Grief", required_elements=["sorry"], target_count=3, usage_count=9)
    template.structure = "Write about {{topic}}."
    template.save()
    persona = DimensionFactory(workspace=template.workspace)
    TemplateApplicability.objects.create(workspace=template.workspace, template=template, dimension=persona)
    copy = PromptTemplate.objects.get(pk=duplicate(template).pk)
    assert (copy.name, copy.active, copy.version, copy.usage_count) == ("Grief (copy)", False, 1, 0)
    assert (copy.structure, copy.required_elements, copy.target_count) == ("Write about {{topic}}.", ["sorry"], 3)
    assert [row.dimension for row in copy.applicability.all()] == [persona]
    assert template.applicability.count() == 1


def test_a_second_copy_gets_a_name_of_its_own() -> None:
    template = PromptTemplateFactory(name="Grief")
    assert [duplicate(template).name, duplicate(template).name] == ["Grief (copy)", "Grief (copy 2)"]


def test_a_name_of_full_length_is_cut_to_make_room() -> None:
    copy = duplicate(PromptTemplateFactory(name="x" * 200))
    assert len(copy.name) == 200
    assert copy.name.endswith("x (copy)")
