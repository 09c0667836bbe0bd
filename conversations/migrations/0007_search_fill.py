from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, BtreeGinExtension
from django.db import migrations

from convgen.tenancy import EVERY, workspace_scope

AT_ONCE = 1000  # conversations in a transaction: who writes one of them meanwhile waits for a second at most


def fill(apps, schema_editor):
    """The documents of what was there before the triggers. Interrupted, it can be run again."""
    connection = schema_editor.connection
    rows = apps.get_model("conversations", "Conversation").objects.using(connection.alias)
    conversations = rows.order_by("pk").values_list("pk", flat=True)
    with workspace_scope(EVERY), connection.cursor() as cursor:
        ids = list(conversations[:AT_ONCE])
        while ids:
            cursor.execute("SELECT conversations_write_search_documents(%s)", [ids])
            ids = list(conversations.filter(pk__gt=ids[-1])[:AT_ONCE])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0006_search")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        # Last, because an index is built faster than it is kept.
        BtreeGinExtension(),
        # What an interrupted build leaves behind is no index, but has its name.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS search_document_words", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "searchdocument", GinIndex(fields=["workspace", "document"], name="search_document_words")
        ),
    ]
