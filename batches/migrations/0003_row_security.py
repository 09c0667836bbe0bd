from django.db import migrations

from convgen.tenancy.policies import guard

TABLES = ("batchjob", "batchitem")


class Migration(migrations.Migration):
    dependencies = [("batches", "0002_same_workspace")]

    operations = [guard(f"batches_{table}") for table in TABLES]
