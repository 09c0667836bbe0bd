from django.db import migrations

from convgen.tenancy.policies import open_reading


class Migration(migrations.Migration):
    dependencies = [("conversations", "0007_search_fill")]

    operations = [open_reading("conversations_fingerprint")]
