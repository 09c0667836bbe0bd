from rest_framework.routers import SimpleRouter

from generation.api.templates import TemplateViewSet
from generation.api.workspaces import WorkspacesViewSet

router = SimpleRouter(use_regex_path=False)
router.register("templates", TemplateViewSet, basename="api-template")
router.register("workspaces", WorkspacesViewSet, basename="api-workspace")

urlpatterns = router.urls
