import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("language", models.CharField(blank=True, max_length=8, verbose_name="language")),
                (
                    "theme",
                    models.CharField(
                        choices=[("system", "System default"), ("dark", "Dark"), ("light", "Light")],
                        default="system",
                        max_length=8,
                        verbose_name="theme",
                    ),
                ),
                (
                    "is_service",
                    models.BooleanField(
                        db_default=False, default=False, editable=False, verbose_name="service account"
                    ),
                ),
                (
                    "is_name_verified",
                    models.BooleanField(db_default=True, default=True, editable=False, verbose_name="name verified"),
                ),
                (
                    "density",
                    models.CharField(
                        choices=[("compact", "Compact"), ("standard", "Standard"), ("comfortable", "Comfortable")],
                        db_default="standard",
                        default="standard",
                        max_length=12,
                        verbose_name="density",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="time zone"),
                ),
                ("sounds", models.JSONField(blank=True, editable=False, null=True, verbose_name="sounds")),
                (
                    "has_shortcuts",
                    models.BooleanField(db_default=True, default=True, verbose_name="single-key shortcuts"),
                ),
                ("factor_due_at", models.DateTimeField(editable=False, null=True)),
                ("enabled_at", models.DateTimeField(editable=False, null=True)),
                ("inactivity_noticed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Upper("username"),
                        name="user_username_any_case",
                        violation_error_message="An account with this username exists already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The program that uses it.", max_length=100, verbose_name="name")),
                (
                    "person",
                    models.ForeignKey(
                        help_text="It has the permissions of this person.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="acts as",
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[("read", "Read only"), ("full", "Full access"), ("scim", "Directory (SCIM)")],
                        db_default="full",
                        default="full",
                        max_length=8,
                        verbose_name="scope",
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires at")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
                (
                    "replaced_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.apitoken",
                        verbose_name="replaced by",
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "verbose_name_plural": "API tokens",
            },
        ),
        migrations.CreateModel(
            name="AuditDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("first_number", models.BigIntegerField()),
                ("entries", models.BigIntegerField(default=0)),
                ("previous_hash", models.CharField(blank=True, max_length=64)),
                ("last_hash", models.CharField(blank=True, max_length=64)),
                ("anchored_entries", models.BigIntegerField(default=0)),
                ("anchored_at", models.DateTimeField(null=True)),
                ("purged_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("day",),
            },
        ),
        migrations.CreateModel(
            name="AuditCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(null=True)),
                ("new_number", models.BigIntegerField(default=0)),
                ("old_number", models.BigIntegerField(default=0)),
                ("round_ended_at", models.DateTimeField(null=True)),
                ("broken_number", models.BigIntegerField(null=True)),
                ("broken_reason", models.CharField(blank=True, max_length=500)),
                ("broken_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="time")),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("actor_name", models.CharField(blank=True, max_length=150, verbose_name="who")),
                (
                    "via",
                    models.CharField(
                        choices=[
                            ("page", "page"),
                            ("api", "API"),
                            ("command", "command line"),
                            ("clock", "TMS itself"),
                            ("terminal", "terminal"),
                            ("link", "link in a message"),
                        ],
                        max_length=16,
                        verbose_name="via",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.apitoken",
                    ),
                ),
                ("token_name", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("address", models.GenericIPAddressField(null=True, verbose_name="address")),
                ("action", models.CharField(max_length=32, verbose_name="action")),
                ("subject_type", models.CharField(max_length=64, verbose_name="kind")),
                ("subject_id", models.CharField(max_length=64)),
                ("subject_name", models.CharField(max_length=200, verbose_name="what")),
                ("changes", models.JSONField(default=dict, verbose_name="changes")),
                (
                    "comment",
                    models.CharField(blank=True, db_default="", default="", max_length=500, verbose_name="why"),
                ),
                ("number", models.BigIntegerField(null=True, unique=True)),
                ("hash", models.CharField(blank=True, db_default="", default="", max_length=64)),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit trail",
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
                    models.Index(fields=["at"], name="audit_at"),
                    models.Index(condition=models.Q(("number__isnull", True)), fields=["id"], name="audit_unsealed"),
                ],
            },
        ),
        migrations.CreateModel(
            name="FormerPassword",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_passwords",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("encoded", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "former password",
                "verbose_name_plural": "former passwords",
            },
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                (
                    "description",
                    models.CharField(blank=True, db_default="", default="", max_length=200, verbose_name="description"),
                ),
                ("permissions", models.JSONField(blank=True, default=list, verbose_name="permissions")),
                (
                    "is_builtin",
                    models.BooleanField(db_default=False, default=False, editable=False, verbose_name="built-in"),
                ),
            ],
            options={
                "verbose_name": "role",
                "verbose_name_plural": "roles",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                (
                    "members",
                    models.ManyToManyField(
                        blank=True, related_name="teams", to=settings.AUTH_USER_MODEL, verbose_name="members"
                    ),
                ),
            ],
            options={
                "verbose_name": "team",
                "verbose_name_plural": "teams",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="IdentityProvider",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("oidc", "OpenID Connect"), ("saml", "SAML 2.0")],
                        default="oidc",
                        max_length=8,
                        verbose_name="protocol",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="On the button of the sign-in page: Company account",
                        max_length=60,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                (
                    "slug",
                    models.SlugField(
                        help_text="Part of the addresses that you register at the provider. Lower-case letters, digits and hyphens.",
                        max_length=40,
                        unique=True,
                        verbose_name="short name",
                    ),
                ),
                ("is_enabled", models.BooleanField(db_default=True, default=True, verbose_name="enabled")),
                (
                    "issuer",
                    models.CharField(
                        help_text="As the provider writes it: https://login.example.com/realms/noc",
                        max_length=500,
                        verbose_name="issuer",
                    ),
                ),
                ("client_id", models.CharField(max_length=255, verbose_name="client ID")),
                (
                    "client_auth",
                    models.CharField(
                        choices=[
                            ("secret", "With the client secret"),
                            ("private_key_jwt", "With a key of its own (private_key_jwt)"),
                        ],
                        db_default="secret",
                        default="secret",
                        help_text="A key needs no secret at the provider, which reads the public part from TMS.",
                        max_length=16,
                        verbose_name="client authentication",
                    ),
                ),
                ("encrypted_secrets", models.TextField(blank=True, db_default="", default="", editable=False)),
                (
                    "scopes",
                    models.CharField(
                        default="openid profile email",
                        help_text="What TMS asks for. Some providers send groups only with a scope of their own.",
                        max_length=200,
                        verbose_name="scopes",
                    ),
                ),
                (
                    "groups_claim",
                    models.CharField(
                        default="groups",
                        help_text="The claim that lists the groups of a person. A dot leads inside: realm_access.roles",
                        max_length=100,
                        verbose_name="claim of groups",
                    ),
                ),
                (
                    "email_domains",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Only verified addresses of these domains may sign in, for example: noc.example. Empty: all.",
                        max_length=500,
                        verbose_name="e-mail domains",
                    ),
                ),
                (
                    "creates_people",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="create people at their first sign-in"
                    ),
                ),
                (
                    "links_by_email",
                    models.BooleanField(
                        db_default=False, default=False, verbose_name="link existing people by verified e-mail"
                    ),
                ),
                (
                    "factor_policy",
                    models.CharField(
                        choices=[
                            ("never", "Never: TMS asks for its own second factor"),
                            ("claimed", "If the provider reports one (amr or acr)"),
                            ("always", "Always: the provider asks everyone for one"),
                        ],
                        db_default="never",
                        default="never",
                        max_length=8,
                        verbose_name="second factor",
                    ),
                ),
                (
                    "acr_values",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Values of acr that count as a second factor. TMS asks the provider for them.",
                        max_length=200,
                        verbose_name="acr values",
                    ),
                ),
                (
                    "signs_out",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="People who sign out of TMS are signed out of everything that they use with this account.",
                        verbose_name="sign out at the provider, too",
                    ),
                ),
                (
                    "sso_url",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Where the provider takes requests by HTTP-Redirect: SingleSignOnService in its metadata.",
                        max_length=500,
                        verbose_name="sign-in address",
                    ),
                ),
                (
                    "certificates",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="With which the provider signs, as PEM. Enter the next one beside the old one before it changes.",
                        max_length=20000,
                        verbose_name="certificates",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created at"
                    ),
                ),
            ],
            options={
                "verbose_name": "identity provider",
                "verbose_name_plural": "identity providers",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to="accounts.identityprovider",
                        verbose_name="identity provider",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                ("issuer", models.CharField(max_length=500)),
                ("subject", models.CharField(max_length=255)),
                ("is_provisioned", models.BooleanField(db_default=False, default=False)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("signed_in_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "identity",
                "verbose_name_plural": "identities",
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "issuer", "subject"), name="identity_one_subject"),
                    models.UniqueConstraint(fields=("provider", "person"), name="identity_one_person"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session_key", models.CharField(max_length=40, unique=True)),
                (
                    "identity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sessions", to="accounts.identity"
                    ),
                ),
                ("sid", models.CharField(blank=True, db_default="", db_index=True, default="", max_length=255)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True),
                ),
            ],
            options={
                "verbose_name": "session of a provider",
                "verbose_name_plural": "sessions of providers",
            },
        ),
        migrations.CreateModel(
            name="SpentToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "provider",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.identityprovider",
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "verbose_name": "spent token",
                "verbose_name_plural": "spent tokens",
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "digest"), name="spent_token_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("provider", None)), fields=("digest",), name="spent_challenge_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitation",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("sent_at", models.DateTimeField(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
            },
        ),
        migrations.CreateModel(
            name="ProvisionedPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_id", models.CharField(blank=True, default="", max_length=255)),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("changed_at", models.DateTimeField(verbose_name="changed at")),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="provisioned",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                ("deactivated_at", models.DateTimeField(null=True)),
                ("deleted_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "person of the directory",
                "verbose_name_plural": "people of the directory",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("external_id",),
                        name="person_external_id_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProvisionedTeam",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_id", models.CharField(blank=True, default="", max_length=255)),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("changed_at", models.DateTimeField(verbose_name="changed at")),
                (
                    "team",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="provisioned",
                        to="accounts.team",
                        verbose_name="team",
                    ),
                ),
            ],
            options={
                "verbose_name": "team of the directory",
                "verbose_name_plural": "teams of the directory",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("external_id",),
                        name="team_external_id_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ScreenPairing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=8, unique=True, verbose_name="code")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("browser", models.CharField(blank=True, max_length=200)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "verbose_name": "pairing code",
                "verbose_name_plural": "pairing codes",
            },
        ),
    ]
