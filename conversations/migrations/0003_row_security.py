from django.db import migrations

from convgen.tenancy.policies import guard

TABLES = ("chunk", "conversation", "conversationnumber", "dimension", "document", "export", "fingerprint", "historicalprompttemplate", "membership", "prompttemplate", "templateapplicability", "turn")


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_same_workspace")]

    operations = [guard("conversations_workspace", column="id"), *(guard(f"conversations_{table}") for table in TABLES)]
