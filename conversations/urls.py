from django.urls import path

from conversations.views import choose_workspace

urlpatterns = [
    path("workspace/choose/", choose_workspace, name="choose-workspace"),
]
