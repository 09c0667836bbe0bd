from django.urls import URLPattern, URLResolver, path, re_path

from batches.api.generating import GenerateView, RegenerateView
from batches.api.progress import ConversationStatusView
from conversations.api.finding import PATTERN

urlpatterns: list[URLPattern | URLResolver] = [
    path("conversations/generate/", GenerateView.as_view(), name="api-generate"),
    re_path(rf"^conversations/(?P<id>{PATTERN})/regenerate/$", RegenerateView.as_view(), name="api-regenerate"),
    re_path(rf"^conversations/(?P<id>{PATTERN})/status/$", ConversationStatusView.as_view(), name="api-progress"),
]
