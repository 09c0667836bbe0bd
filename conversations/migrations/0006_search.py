from pathlib import Path

import django.contrib.postgres.search
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import UnaccentExtension
from django.db import migrations, models

from convgen.database.sql import run_files
from convgen.tenancy.policies import guard, open_reading

SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0005_review_permission'),
    ]

    operations = [
        UnaccentExtension(),
        migrations.CreateModel(
            name='SearchDocument',
            fields=[
                ('conversation', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='+', serialize=False, to='conversations.conversation')),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace')),
                ('created_at', models.DateTimeField(help_text="The conversation's, so that words can be read newest first.")),
                ('document', django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        guard("conversations_searchdocument"),
        open_reading("conversations_searchdocument"),
        run_files(SQL / "search.sql", SQL / "search_drop.sql"),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='search_document_of_new', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM conversations_write_search_documents(ARRAY(SELECT id FROM added)); RETURN NULL;', hash='a17da24aa62ab6eae9ba80f2f084b4f50d42460e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_search_document_of_new_394cc', referencing='REFERENCING NEW TABLE AS added ', table='conversations_conversation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='search_document_of_changed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."conversation_id" IS DISTINCT FROM (NEW."conversation_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."emotion" IS DISTINCT FROM (NEW."emotion") OR OLD."persona" IS DISTINCT FROM (NEW."persona") OR OLD."title" IS DISTINCT FROM (NEW."title") OR OLD."topic" IS DISTINCT FROM (NEW."topic"))', func='PERFORM conversations_write_search_documents(ARRAY(SELECT NEW.id)); RETURN NULL;', hash='cf97b917e6422b98231397720beed52ee0e82758', operation='UPDATE', pgid='pgtrigger_search_document_of_changed_aef6c', table='conversations_conversation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='turn',
            trigger=pgtrigger.compiler.Trigger(name='search_document_with_turns', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM conversations_write_search_documents(ARRAY(SELECT DISTINCT conversation_id FROM added)); RETURN NULL;', hash='0d595a97d3601eb327601f759f6845b608bd6cfb', level='STATEMENT', operation='INSERT', pgid='pgtrigger_search_document_with_turns_fa788', referencing='REFERENCING NEW TABLE AS added ', table='conversations_turn', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='turn',
            trigger=pgtrigger.compiler.Trigger(name='search_document_changed_turns', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM conversations_write_search_documents(ARRAY(SELECT conversation_id FROM before UNION SELECT conversation_id FROM after)); RETURN NULL;', hash='bb078aa832109dc10b26c55a96aa8c42eeb36195', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_search_document_changed_turns_bb6d2', referencing='REFERENCING OLD TABLE AS before  NEW TABLE AS after ', table='conversations_turn', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='turn',
            trigger=pgtrigger.compiler.Trigger(name='search_document_less_turns', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM conversations_write_search_documents(ARRAY(SELECT DISTINCT conversation_id FROM removed)); RETURN NULL;', hash='4c5fed2cb919e5718c90b85ab074acb4e3acaaad', level='STATEMENT', operation='DELETE', pgid='pgtrigger_search_document_less_turns_4a837', referencing='REFERENCING OLD TABLE AS removed ', table='conversations_turn', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='searchdocument',
            index=models.Index(fields=['workspace', '-created_at', '-conversation'], name='search_document_newest'),
        ),
        migrations.AddIndex(
            model_name='searchdocument',
            index=models.Index(fields=['-created_at', '-conversation'], name='search_document_newest_all'),
        ),
    ]
