from rest_framework.routers import SimpleRouter

from conversations.api.dimensions import DimensionViewSet

router = SimpleRouter(use_regex_path=False)
router.register("dimensions", DimensionViewSet, basename="api-dimension")

urlpatterns = router.urls
