from django.db import migrations

from convgen.tenancy.policies import guard

TABLES = ("generationlog",)


class Migration(migrations.Migration):
    dependencies = [("generation", "0003_same_workspace")]

    operations = [guard(f"generation_{table}") for table in TABLES]
