from rest_framework.routers import SimpleRouter

from conversations.api.conversations import ConversationViewSet
from conversations.api.dimensions import DimensionViewSet
from conversations.api.review import ReviewViewSet
from conversations.api.versions import EditViewSet, VersionViewSet

router = SimpleRouter(use_regex_path=False)
router.register("dimensions", DimensionViewSet, basename="api-dimension")
router.register("conversations", ReviewViewSet, basename="api-review")  # before others: "review" is no id
router.register("conversations", ConversationViewSet, basename="api-conversation")
router.register("conversations", VersionViewSet, basename="api-version")
router.register("conversations/<conversation:id>/edits", EditViewSet, basename="api-edit")

urlpatterns = router.urls
