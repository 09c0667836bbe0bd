"""What the services of templates, sources, dimensions and exports refuse, as the API tells it."""

from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.reverse import reverse

from conversations.coverage import PlanTooLarge
from conversations.dimension_deletion import DimensionInUse
from conversations.documents import SameText
from conversations.exporting import ExportError, FileElsewhere, FileRefused, NotExportable, NotThere
from conversations.template_editing import TemplateChanged
from convgen.api import errors
from convgen.api.errors import Conflict, PreconditionFailed, Unavailable


def register() -> None:
    errors.tell(SameText, _same_text)
    errors.tell(DimensionInUse, errors.conflict)
    errors.tell(PlanTooLarge, errors.conflict)
    errors.tell(ExportError, lambda error: Conflict(str(error), "nothing_to_export"))
    errors.tell(NotExportable, errors.conflict)
    errors.tell(NotThere, _not_there)
    errors.tell(FileRefused, lambda error: Unavailable(f"{error.reason} Tell whoever runs this site.", "no_file"))
    errors.tell(FileElsewhere, lambda error: NotFound(str(error), "no_file"))
    errors.tell(TemplateChanged, lambda error: PreconditionFailed(str(error)))


def _not_there(error: NotThere) -> ValidationError:
    return ValidationError({"conversation_ids": [ErrorDetail(str(error), "does_not_exist")]})


def _same_text(error: SameText) -> Conflict:
    """With the address of the document that has the text."""
    return Conflict(str(error), "same_text", headers={"Location": reverse("api-document-detail", [error.document.pk])})
