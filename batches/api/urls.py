from django.urls import path
from rest_framework.routers import SimpleRouter

from batches.api.batches import BatchViewSet, GenerateBatch
from batches.api.conversation_status import ConversationStatusView
from batches.api.generating import GenerateView, RegenerateView
from batches.api.items import ItemViewSet, MessageBatchViewSet

router = SimpleRouter(use_regex_path=False)
router.register("batches", BatchViewSet, basename="api-batch")

urlpatterns = [
    path("conversations/generate/", GenerateView.as_view(), name="api-generate"),
    path("conversations/<conversation:id>/regenerate/", RegenerateView.as_view(), name="api-regenerate"),
    path("conversations/<conversation:id>/status/", ConversationStatusView.as_view(), name="api-conversation-status"),
    path("conversations/generate-batch/", GenerateBatch.as_view(), name="api-generate-batch"),
    path("batches/<uuid:id>/items/", ItemViewSet.as_view({"get": "list"}), name="api-batch-items"),
    path(
        "batches/<uuid:id>/message-batches/",
        MessageBatchViewSet.as_view({"get": "list"}),
        name="api-batch-message-batches",
    ),
    *router.urls,
]
