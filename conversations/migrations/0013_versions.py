from pathlib import Path

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

SQL = Path(__file__).parent.parent / "sql"
BEFORE = (SQL / "coverage.sql").read_text()
RECOUNT = BEFORE[BEFORE.index("CREATE FUNCTION coverage_recount"):].replace("CREATE", "CREATE OR REPLACE", 1)


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0012_configuration'),
    ]

    operations = [
        migrations.RunSQL((SQL / "coverage_versions.sql").read_text(), RECOUNT),
        pgtrigger.migrations.RemoveTrigger(
            model_name='conversation',
            name='cover_inserted',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='conversation',
            name='cover_deleted',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='conversation',
            name='cover_updated',
        ),
        migrations.AddField(
            model_name='conversation',
            name='first_version',
            field=models.UUIDField(blank=True, editable=False, help_text="The id of its chain's first version; null: it is the first.", null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='one_current_version', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN (NEW.version > 1 AND NEW.status NOT IN ('draft', 'generating', 'failed', 'archived'))", func="\n        IF EXISTS (SELECT FROM conversations_conversation WHERE id = NEW.parent_id AND status <> 'archived') THEN\n            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'one_current_version', MESSAGE = 'The version that this one replaces has to be archived first.';\n        END IF;\n        RETURN NEW;\n    ", hash='a4d66a2cea46482f3f00898569c0e82edd62ef19', operation='INSERT OR UPDATE OF "status"', pgid='pgtrigger_one_current_version_f00ec', table='conversations_conversation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='cover_inserted', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        INSERT INTO conversations_coveragechange (workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, conversations, places)\n        SELECT workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, +count(*), +count(*) FILTER (WHERE slot <> '')\n        FROM inserted WHERE status NOT IN ('archived', 'rejected') AND (version = 1 OR status NOT IN ('draft', 'generating', 'failed')) GROUP BY workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone;\n     RETURN NULL;", hash='678b011a6c659a7b3c5da5cfc4a4aec4c4c722df', level='STATEMENT', operation='INSERT', pgid='pgtrigger_cover_inserted_e1267', referencing='REFERENCING NEW TABLE AS inserted ', table='conversations_conversation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='cover_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        \n        INSERT INTO conversations_coveragechange (workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, conversations, places)\n        SELECT workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, -count(*), -count(*) FILTER (WHERE slot <> '')\n        FROM deleted WHERE status NOT IN ('archived', 'rejected') AND (version = 1 OR status NOT IN ('draft', 'generating', 'failed')) GROUP BY workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone;\n    \n        PERFORM coverage_fold(workspace_id) FROM (SELECT DISTINCT workspace_id FROM deleted) AS of_deleted;\n        RETURN NULL;\n    ", hash='02e668eda797f79227ac4032807da5b004a3df8c', level='STATEMENT', operation='DELETE', pgid='pgtrigger_cover_deleted_9e1ed', referencing='REFERENCING OLD TABLE AS deleted ', table='conversations_conversation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='cover_updated', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN ((OLD.status NOT IN ('archived', 'rejected') AND (OLD.version = 1 OR OLD.status NOT IN ('draft', 'generating', 'failed')), OLD.slot = '', OLD.workspace_id, OLD.template_id, OLD.chunk_id, OLD.persona, OLD.emotion, OLD.topic, OLD.intent, OLD.tone) IS DISTINCT FROM (NEW.status NOT IN ('archived', 'rejected') AND (NEW.version = 1 OR NEW.status NOT IN ('draft', 'generating', 'failed')), NEW.slot = '', NEW.workspace_id, NEW.template_id, NEW.chunk_id, NEW.persona, NEW.emotion, NEW.topic, NEW.intent, NEW.tone))", func="\n        INSERT INTO conversations_coveragechange (workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, conversations, places)\n        SELECT OLD.workspace_id, OLD.template_id, OLD.chunk_id, OLD.persona, OLD.emotion, OLD.topic, OLD.intent, OLD.tone, -1, CASE WHEN OLD.slot = '' THEN 0 ELSE -1 END\n        WHERE OLD.status NOT IN ('archived', 'rejected') AND (OLD.version = 1 OR OLD.status NOT IN ('draft', 'generating', 'failed'));\n     \n        INSERT INTO conversations_coveragechange (workspace_id, template_id, chunk_id, persona, emotion, topic, intent, tone, conversations, places)\n        SELECT NEW.workspace_id, NEW.template_id, NEW.chunk_id, NEW.persona, NEW.emotion, NEW.topic, NEW.intent, NEW.tone, 1, CASE WHEN NEW.slot = '' THEN 0 ELSE 1 END\n        WHERE NEW.status NOT IN ('archived', 'rejected') AND (NEW.version = 1 OR NEW.status NOT IN ('draft', 'generating', 'failed'));\n     RETURN NULL;", hash='22950d37fb2f1427b39875669958b515a4951838', operation='UPDATE', pgid='pgtrigger_cover_updated_ad3ef', table='conversations_conversation', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='conversation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('first_version__isnull', True), ('version', 1)), models.Q(('first_version__isnull', False), ('version__gt', 1)), _connector='OR'), name='conversation_first_version'),
        ),
        migrations.AddConstraint(
            model_name='conversation',
            constraint=models.UniqueConstraint(condition=models.Q(('first_version__isnull', False)), fields=('first_version', 'version'), name='conversation_version_once'),
        ),
        migrations.AddConstraint(
            model_name='conversation',
            constraint=models.UniqueConstraint(condition=models.Q(('parent__isnull', False), models.Q(('status', 'archived'), ('turn_count', 0), _negated=True)), fields=('parent',), name='conversation_one_successor'),
        ),
    ]
