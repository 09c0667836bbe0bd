"""Personas, emotions, topics, intents and tones."""

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema

from conversations.api.serializers import RowSerializer
from conversations.api.views import WorkspaceModelViewSet, model_permissions
from conversations.models import Dimension


class DimensionSerializer(RowSerializer):
    class Meta:
        model = Dimension
        fields = ["id", "kind", "name", "description", "attributes", "active", "position"]
        kept = ["kind"]


class DimensionFilter(filters.FilterSet):
    class Meta:
        model = Dimension
        fields = ["kind", "active"]


@extend_schema(tags=["Dimensions"])
class DimensionViewSet(WorkspaceModelViewSet):
    queryset = Dimension.objects.all()
    serializer_class = DimensionSerializer
    lookup_value_converter = "uuid"
    filterset_class = DimensionFilter
    permissions = model_permissions("conversations.dimension")
    orderings = {"position": "position", "name": "name"}
    ordering = "position"
    tie_breakers = ("name", "id")
