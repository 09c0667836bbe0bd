from django.urls import path
from rest_framework.routers import SimpleRouter

from batches.api.batches import BatchViewSet, GenerateBatch
from batches.api.items import ItemViewSet, MessageBatchViewSet

router = SimpleRouter(use_regex_path=False)
router.register("batches", BatchViewSet, basename="api-batch")

urlpatterns = [
    path("conversations/generate-batch/", GenerateBatch.as_view(), name="api-generate-batch"),
    path("batches/<uuid:batch>/items/", ItemViewSet.as_view({"get": "list"}), name="api-batch-items"),
    path(
        "batches/<uuid:batch>/message-batches/",
        MessageBatchViewSet.as_view({"get": "list"}),
        name="api-batch-message-batches",
    ),
    *router.urls,
]
