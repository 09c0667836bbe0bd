import convgen.tenancy.references
import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

from convgen.tenancy.policies import guard


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0013_versions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Edit',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('edited_at', models.DateTimeField(auto_now_add=True)),
                ('fields', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), help_text='What was changed, by names such as turns, title.', size=None)),
                ('turns_before', models.JSONField(blank=True, help_text='The turns as they were, [{role, content}]; null where they stayed.', null=True)),
                ('score_before', models.DecimalField(blank=True, decimal_places=1, max_digits=3, null=True)),
                ('score_after', models.DecimalField(blank=True, decimal_places=1, max_digits=3, null=True)),
                ('conversation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='edits', to='conversations.conversation')),
                ('edited_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='conversations.workspace')),
            ],
            options={
                'ordering': ['-edited_at', '-id'],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='conversation',
            name='conversation_transitions',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='conversation',
            trigger=pgtrigger.compiler.Trigger(name='conversation_transitions', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IS DISTINCT FROM (NEW."status"))', func="\n            IF (OLD.status, NEW.status) IN (('draft', 'generating'), ('draft', 'archived'), ('generating', 'draft'), ('generating', 'generated'), ('generating', 'pending_review'), ('generating', 'failed'), ('generated', 'pending_review'), ('generated', 'approved'), ('generated', 'rejected'), ('generated', 'needs_revision'), ('generated', 'archived'), ('pending_review', 'approved'), ('pending_review', 'rejected'), ('pending_review', 'needs_revision'), ('pending_review', 'archived'), ('needs_revision', 'approved'), ('needs_revision', 'rejected'), ('needs_revision', 'needs_revision'), ('needs_revision', 'archived'), ('approved', 'archived'), ('rejected', 'archived'), ('failed', 'generating'), ('failed', 'archived')) THEN\n                RETURN NEW;\n            END IF;\n            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'conversation_transitions', MESSAGE = format('A conversation that is %s cannot become %s.', OLD.status, NEW.status);\n        ", hash='1818d3d4344ca98034c92cef62fbeaef93256337', operation='UPDATE OF "status"', pgid='pgtrigger_conversation_transitions_b6726', table='conversations_conversation', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='edit',
            index=models.Index(fields=['conversation', '-edited_at'], name='edit_of_conversation'),
        ),
        migrations.AddConstraint(
            model_name='edit',
            constraint=convgen.tenancy.references.SameWorkspace('conversation', name='edit_conversation_same_workspace'),
        ),
        guard("conversations_edit"),
    ]
