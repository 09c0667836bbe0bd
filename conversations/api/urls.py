from django.urls import path
from rest_framework.routers import SimpleRouter

from conversations.api.chunks import ChunkViewSet
from conversations.api.conversations import ConversationViewSet
from conversations.api.coverage import CoverageView, DraftsView, GapsView
from conversations.api.dimensions import DimensionViewSet
from conversations.api.documents import DocumentViewSet
from conversations.api.exports import ExportViewSet
from conversations.api.review import ReviewViewSet
from conversations.api.versions import EditViewSet, VersionViewSet

router = SimpleRouter(use_regex_path=False)
router.register("conversations", ReviewViewSet, basename="api-review")  # before others: "review" is no id
router.register("conversations", ConversationViewSet, basename="api-conversation")
router.register("conversations", VersionViewSet, basename="api-version")
router.register("conversations/<conversation:id>/edits", EditViewSet, basename="api-edit")
router.register("dimensions", DimensionViewSet, basename="api-dimension")
router.register("documents", DocumentViewSet, basename="api-document")
router.register("chunks", ChunkViewSet, basename="api-chunk")
router.register("exports", ExportViewSet, basename="api-export")

urlpatterns = [
    *router.urls,
    path("coverage/", CoverageView.as_view(), name="api-coverage"),
    path("coverage/gaps/", GapsView.as_view(), name="api-coverage-gaps"),
    path("coverage/drafts/", DraftsView.as_view(), name="api-coverage-drafts"),
]
