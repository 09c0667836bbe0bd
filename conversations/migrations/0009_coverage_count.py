from pathlib import Path

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from convgen.database.sql import run_files
from convgen.tenancy.policies import guard

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0008_fingerprint_reading'),
    ]

    operations = [
        migrations.CreateModel(
            name='CoverageCount',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace')),
                ('template_id', models.UUIDField(help_text="The prompt template's id; null: they have none.", null=True)),
                ('chunk_id', models.UUIDField(help_text='The id of the chunk that they are grounded in, if any.', null=True)),
                ('persona', models.CharField(blank=True, max_length=200)),
                ('emotion', models.CharField(blank=True, max_length=200)),
                ('topic', models.CharField(blank=True, max_length=200)),
                ('intent', models.CharField(blank=True, max_length=200)),
                ('tone', models.CharField(blank=True, max_length=200)),
                ('conversations', models.IntegerField(help_text='Live conversations: how many, or how many more or fewer.')),
                ('places', models.IntegerField(help_text='How many of them fill a place of the plan.')),
                ('size', models.SmallIntegerField(help_text='How many values make the group, 0 to 3; 0: all of a template.')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'size', 'chunk_id', 'template_id', 'persona', 'emotion', 'topic', 'intent', 'tone'), name='coverage_count_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='CoverageChange',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace')),
                ('template_id', models.UUIDField(help_text="The prompt template's id; null: they have none.", null=True)),
                ('chunk_id', models.UUIDField(help_text='The id of the chunk that they are grounded in, if any.', null=True)),
                ('persona', models.CharField(blank=True, max_length=200)),
                ('emotion', models.CharField(blank=True, max_length=200)),
                ('topic', models.CharField(blank=True, max_length=200)),
                ('intent', models.CharField(blank=True, max_length=200)),
                ('tone', models.CharField(blank=True, max_length=200)),
                ('conversations', models.IntegerField(help_text='Live conversations: how many, or how many more or fewer.')),
                ('places', models.IntegerField(help_text='How many of them fill a place of the plan.')),
            ],
            options={
                'indexes': [models.Index(fields=['workspace'], name='coverage_change_workspace')],
            },
        ),
        guard("conversations_coveragecount"),
        guard("conversations_coveragechange"),
        run_files(SQL / "coverage.sql", SQL / "coverage_drop.sql"),
        pgtrigger.migrations.AddTrigger(
            model_name='coveragechange',
            trigger=pgtrigger.compiler.Trigger(name='fold_coverage', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (mod(NEW.id, 500) = 0)', func='PERFORM coverage_fold(NEW.workspace_id); RETURN NULL;', hash='da2339abc76c604e73e99206bb57b853f191b8f3', operation='INSERT', pgid='pgtrigger_fold_coverage_fee78', table='conversations_coveragechange', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='cover_inserted', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        INSERT INTO conversations_coveragechange (workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, conversations, places)\n        SELECT workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, +count(*), +count(*) FILTER (WHERE slot <> '')\n        FROM inserted WHERE status NOT IN ('archived', 'rejected') GROUP BY workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone;\n     RETURN NULL;", hash='08e4cebe2b013bf6ac3a5a83af920dcf5b9cb18d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_cover_inserted_e1267', referencing='REFERENCING NEW TABLE AS inserted ', table='conversations_conversation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='cover_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        \n        INSERT INTO conversations_coveragechange (workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, conversations, places)\n        SELECT workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, -count(*), -count(*) FILTER (WHERE slot <> '')\n        FROM deleted WHERE status NOT IN ('archived', 'rejected') GROUP BY workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone;\n    \n        PERFORM coverage_fold(workspace_id) FROM (SELECT DISTINCT workspace_id FROM deleted) AS of_deleted;\n        RETURN NULL;\n    ", hash='84048343a775d6f4c9ee622faa15c932b5146295', level='STATEMENT', operation='DELETE', pgid='pgtrigger_cover_deleted_9e1ed', referencing='REFERENCING OLD TABLE AS deleted ', table='conversations_conversation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='cover_updated', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN ((OLD.status IN ('archived', 'rejected'), OLD.slot = '', OLD.workspace_id, OLD.template_id, OLD.chunk_id, OLD.persona, OLD.emotion, OLD.topic, OLD.intent, OLD.tone) IS DISTINCT FROM (NEW.status IN ('archived', 'rejected'), NEW.slot = '', NEW.workspace_id, NEW.template_id, NEW.chunk_id, NEW.persona, NEW.emotion, NEW.topic, NEW.intent, NEW.tone))", func="\n        INSERT INTO conversations_coveragechange (workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, conversations, places)\n        SELECT OLD.workspace_id, OLD.template_id, OLD.chunk_id, OLD.persona, OLD.emotion, OLD.topic, OLD.intent, OLD.tone, -1, CASE WHEN OLD.slot = '' THEN 0 ELSE -1 END\n        WHERE OLD.status NOT IN ('archived', 'rejected');\n     \n        INSERT INTO conversations_coveragechange (workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, conversations, places)\n        SELECT NEW.workspace_id, NEW.template_id, NEW.chunk_id, NEW.persona, NEW.emotion, NEW.topic, NEW.intent, NEW.tone, 1, CASE WHEN NEW.slot = '' THEN 0 ELSE 1 END\n        WHERE NEW.status NOT IN ('archived', 'rejected');\n     RETURN NULL;", hash='f1f07a761c4c2aba5e79c567793aa2ba82accdf7', operation='UPDATE', pgid='pgtrigger_cover_updated_ad3ef', table='conversations_conversation', when='AFTER')),
        ),
    ]
