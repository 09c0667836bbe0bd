"""One limiter for requests and tokens: its state, its queue, and the functions that hand out sending times."""

from pathlib import Path

import django.db.models.functions.comparison
import django.utils.timezone
from django.db import migrations, models

from convgen.database.sql import run_files

SQL = Path(__file__).parent.parent / "sql"
FUNCTIONS = ("rate_slot", "rate_share", "rate_ask", "rate_settle")


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0006_cache_saving'),
    ]

    operations = [
        run_files(SQL / "rate_acquire_drop.sql", SQL / "rate_acquire.sql"),
        migrations.CreateModel(
            name='RateState',
            fields=[
                ('key', models.CharField(max_length=60, primary_key=True, serialize=False)),
                ('address', models.CharField(max_length=200)),
                ('configured_requests', models.PositiveIntegerField()),
                ('configured_input', models.PositiveIntegerField(blank=True, null=True)),
                ('configured_output', models.PositiveIntegerField(blank=True, null=True)),
                ('reported_requests', models.PositiveIntegerField(blank=True, null=True)),
                ('reported_input', models.PositiveIntegerField(blank=True, null=True)),
                ('reported_output', models.PositiveIntegerField(blank=True, null=True)),
                ('requests_limit', models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Least(models.F('configured_requests'), models.F('reported_requests')), output_field=models.PositiveIntegerField(null=True))),
                ('input_limit', models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Least(models.F('configured_input'), models.F('reported_input')), output_field=models.PositiveIntegerField(null=True))),
                ('output_limit', models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Least(models.F('configured_output'), models.F('reported_output')), output_field=models.PositiveIntegerField(null=True))),
                ('requests_remaining', models.PositiveIntegerField(blank=True, null=True)),
                ('input_remaining', models.PositiveIntegerField(blank=True, null=True)),
                ('output_remaining', models.PositiveIntegerField(blank=True, null=True)),
                ('reported_at', models.DateTimeField(blank=True, null=True)),
                ('usual_input', models.PositiveIntegerField(blank=True, null=True)),
                ('usual_output', models.PositiveIntegerField(blank=True, null=True)),
                ('blocked_at', models.DateTimeField(blank=True, null=True)),
                ('blocked_until', models.DateTimeField(blank=True, null=True)),
                ('strikes', models.PositiveSmallIntegerField(default=0)),
                ('granted', models.PositiveBigIntegerField(default=0)),
                ('refused', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'rate limit',
            },
        ),
        migrations.CreateModel(
            name='RateWaiter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=60)),
                ('who', models.CharField(help_text='For people: a batch, or one conversation.', max_length=250)),
                ('of_workspace', models.UUIDField(blank=True, null=True)),
                ('priority', models.CharField(choices=[('high', 'High'), ('normal', 'Normal'), ('low', 'Low')], max_length=10)),
                ('wanted', models.PositiveIntegerField()),
                ('reason', models.CharField(choices=[('requests', 'Request limit'), ('input', 'Input token limit'), ('output', 'Output token limit'), ('blocked', 'Claude asked everybody to wait'), ('turn', 'Others go first')], max_length=10)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('asks_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='rategrant',
            name='input_tokens',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='rategrant',
            name='output_tokens',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='rategrant',
            name='output_until',
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='rategrant',
            name='refused',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='rategrant',
            name='settled',
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name='rategrant',
            index=models.Index(condition=models.Q(('output_tokens__gt', 0)), fields=['key', '-output_until'], name='rate_grant_output'),
        ),
        migrations.AddIndex(
            model_name='ratewaiter',
            index=models.Index(fields=['key', 'id'], name='rate_waiter_queue'),
        ),
        migrations.AddConstraint(
            model_name='ratewaiter',
            constraint=models.CheckConstraint(condition=models.Q(('priority__in', ['high', 'normal', 'low'])), name='rate_waiter_priority_known'),
        ),
        migrations.AddConstraint(
            model_name='ratewaiter',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['requests', 'input', 'output', 'blocked', 'turn'])), name='rate_waiter_reason_known'),
        ),
        *(run_files(SQL / f"{name}.sql", SQL / f"{name}_drop.sql") for name in FUNCTIONS),
    ]
