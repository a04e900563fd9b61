"""The two checklists, in the order of the operators' own list."""

from collections.abc import Mapping, Sequence

from deploy.check import access, code, probes, release, speed
from deploy.check.aws import cloud, fleet, pages, traffic
from deploy.check.result import Check, Section, Text

ACCEPTABLE = frozenset({"vulnerabilities", "review"})
"""Checks that an urgent fix may fail, if a person answers for it by name."""
BEFORE = (
    Section(
        "code",
        Text("Code quality", "コード品質"),
        (
            Check(
                Text("All tests pass", "全テストがパス"),
                code.tests,
                Text("`make test` passes for this commit", "このコミットで make test が成功"),
            ),
            Check(
                Text("Code review", "コードレビュー完了"),
                code.review,
                Text(
                    "approved by somebody other than the author; --accept review=REASON in an emergency",
                    "他の人が承認済み (緊急時は --accept review=理由)",
                ),
            ),
            Check(
                Text("Known vulnerabilities", "セキュリティ脆弱性チェック"),
                code.vulnerabilities,
                Text(
                    "deploy/pipeline/audit finds nothing; --accept vulnerabilities=REASON for an urgent fix",
                    "deploy/pipeline/audit で検出なし (緊急の修正時は --accept vulnerabilities=理由)",
                ),
            ),
        ),
    ),
    Section(
        "infrastructure",
        Text("Infrastructure", "インフラ"),
        (
            Check(
                Text("VPC and subnets", "VPC/サブネット設定完了"),
                cloud.network,
                Text(
                    "a VPC, two public and two private subnets in two zones",
                    "VPC と 2 つの AZ にまたがる公開・非公開サブネット各 2 つ",
                ),
            ),
            Check(
                Text("Security groups", "セキュリティグループ設定"),
                cloud.security_groups,
                Text("only the load balancer is open to the internet", "全世界に開くのは ALB のみ"),
            ),
            Check(
                Text("RDS running", "RDS起動"),
                cloud.rds,
                Text("available, Multi-AZ, encrypted, private", "稼働中、マルチ AZ、暗号化、非公開"),
            ),
            Check(
                Text("Database connection", "RDS接続確認"),
                release.database,
                Text(
                    "the PostgreSQL of TMS_DATABASE_URL accepts the connection",
                    "TMS_DATABASE_URL の PostgreSQL に接続できる",
                ),
            ),
        ),
    ),
    Section(
        "application",
        Text("Application", "アプリケーション"),
        (
            Check(
                Text("Environment", "環境変数設定"),
                release.environment,
                Text(
                    "manage.py check --deploy reports nothing (docs/settings.md)",
                    "manage.py check --deploy が何も報告しない (docs/settings.md)",
                ),
            ),
            Check(
                Text("Migrations", "データベースマイグレーション"),
                release.migrations,
                Text("manage.py migrate", "manage.py migrate を実行"),
            ),
            Check(
                Text("Static files", "静的ファイル配信確認"),
                release.collected,
                Text("manage.py collectstatic --noinput", "manage.py collectstatic --noinput を実行"),
            ),
        ),
    ),
    Section(
        "monitoring",
        Text("Monitoring", "監視"),
        (
            Check(
                Text("CloudWatch alarms", "CloudWatchアラーム設定"),
                cloud.alarms,
                Text(
                    "every alarm of docs/runbook.md exists and has an action",
                    "docs/runbook.md の全アラームに通知先あり",
                ),
            ),
            Check(
                Text("Recipients of alarms", "アラームの宛先"),
                pages.subscriptions,
                Text("every recipient has confirmed its subscription", "全宛先が購読を確認済み"),
            ),
            Check(
                Text("Log collection", "ログ収集確認"),
                cloud.logs,
                Text(
                    "an event within 15 minutes; none before the first release",
                    "15 分以内にログあり (初回リリース前はまだない)",
                ),
            ),
            Check(
                Text("Metric delivery", "メトリクス送信確認"),
                cloud.metrics,
                Text(
                    "a value per minute; none before the first release",
                    "毎分データあり (初回リリース前はまだない)",
                ),
            ),
        ),
    ),
)
AFTER = (
    Section(
        "function",
        Text("Functionality", "機能確認"),
        (
            Check(
                Text("Health", "ヘルスチェック"),
                probes.health,
                Text("/health/?strict returns 200", "/health/?strict が 200"),
            ),
            Check(
                Text("Sign-in", "ログイン機能動作"),
                probes.sign_in,
                Text(
                    "CHECK_USERNAME and CHECK_PASSWORD can sign in; a refused account does not fail the list",
                    "CHECK_USERNAME と CHECK_PASSWORD でサインインできる (アカウントの拒否は不合格にしない)",
                ),
            ),
            Check(
                Text("Main pages", "主要画面表示"),
                probes.main_pages,
                Text("each returns 200 and is complete", "すべて 200 で全体が表示"),
            ),
            Check(
                Text("API", "API応答確認"),
                probes.api,
                Text("403 as application/problem+json", "application/problem+json で 403"),
            ),
            Check(
                Text("API with a token", "トークンによるAPI"),
                probes.api_with_token,
                Text(
                    "CHECK_TOKEN of a service account lists terminals",
                    "サービスアカウントの CHECK_TOKEN で端末一覧を取得",
                ),
            ),
            Check(
                Text("Static files", "静的ファイル配信"),
                probes.static_files,
                Text(
                    "200, text/css, cached for at least a day (docs/runbook.md)",
                    "200、text/css、1 日以上キャッシュ (docs/runbook.md)",
                ),
            ),
            Check(
                Text("Live boards", "ボードのWebSocket"),
                access.board,
                Text("101 through the load balancer or proxy", "フロント経由で 101"),
            ),
            Check(
                Text("Log collection", "ログ収集"),
                cloud.logs,
                Text("an event within 15 minutes", "15 分以内にログあり"),
            ),
            Check(
                Text("Metric delivery", "メトリクス送信"), cloud.metrics, Text("a value per minute", "毎分データあり")
            ),
            Check(
                Text("Terminals connected", "端末の接続"),
                fleet.connected,
                Text("at least 95 % of before the deployment", "デプロイ前の 95 % 以上"),
            ),
            Check(
                Text("Reports acknowledged", "レポートの受領応答"),
                fleet.acknowledged,
                Text("acknowledgements within five minutes", "5 分以内に受領応答あり"),
            ),
            Check(
                Text("No new alarms", "新たなアラームなし"),
                cloud.no_new_alarms,
                Text(
                    "no alarm has started since the deployment (docs/runbook.md)",
                    "新たに発報したアラームなし (docs/runbook.md)",
                ),
            ),
        ),
    ),
    Section(
        "traffic",
        Text("Load balancer", "ロードバランサーから見た状態"),
        (
            Check(
                Text("Healthy hosts", "正常なホスト"),
                traffic.hosts,
                Text("at least two registered, all healthy", "2 台以上、登録されたすべてが healthy"),
            ),
            Check(
                Text("Server errors", "サーバーエラー"),
                traffic.errors,
                Text(
                    f"at most {traffic.MOST_ERRORS} responses with 5xx per minute",
                    f"5xx の応答が 1 分あたり {traffic.MOST_ERRORS} 件以下",
                ),
            ),
        ),
    ),
    Section(
        "speed",
        Text("Performance", "性能確認"),
        (
            Check(
                Text("Load balancer latency", "ロードバランサーでの応答時間"),
                traffic.latency,
                Text("p95 of TargetResponseTime within --slow-ms", "TargetResponseTime の p95 が --slow-ms 以内"),
            ),
            Check(
                Text("Response times", "レスポンスタイム測定"),
                speed.response_times,
                Text("each page's median within --slow-ms", "各画面の中央値が --slow-ms 以内"),
            ),
            Check(
                Text("Load test", "負荷テスト実施"),
                speed.load,
                Text("no errors, p95 within four times --slow-ms", "エラーなし、p95 が --slow-ms の 4 倍以内"),
            ),
            Check(
                Text("Node distribution", "複数ノードへの分散"),
                speed.nodes,
                Text("at least two nodes respond", "2 ノード以上が応答"),
            ),
            Check(
                Text("Scaling", "スケーリング動作確認"),
                cloud.scaling,
                Text(
                    "the group or service has scaling policies",
                    "グループまたはサービスにスケーリングポリシーあり",
                ),
            ),
        ),
    ),
    Section(
        "security",
        Text("Security", "セキュリティ"),
        (
            Check(
                Text("Certificate and TLS", "SSL証明書適用"),
                access.certificate,
                Text(
                    "TLS 1.3, certificate for this name, valid for at least 21 days",
                    "TLS 1.3、この名前の証明書、残り 21 日以上",
                ),
            ),
            Check(
                Text("HTTPS redirect", "HTTPからHTTPSへの転送"),
                access.redirect,
                Text("301 to https://", "https:// へ 301"),
            ),
            Check(
                Text("Security headers", "セキュリティヘッダー"),
                access.headers,
                Text("HSTS for a year, CSP without unsafe", "HSTS 1年、unsafe のない CSP"),
            ),
            Check(
                Text("WAF", "WAF動作確認"),
                cloud.firewall,
                Text("the web ACL is attached to the load balancer", "Web ACL が ALB に適用済み"),
            ),
            Check(
                Text("Private metrics", "メトリクス非公開"),
                access.metrics,
                Text("403 or 404 from outside", "外部からは 403 か 404"),
            ),
            Check(
                Text("Access restriction", "アクセス制限確認"),
                access.anonymous_access,
                Text("every page redirects to sign-in", "すべての画面がサインインに転送"),
            ),
            Check(
                Text("WebSocket access", "WebSocketのアクセス制限"),
                access.sockets,
                Text("401 without a credential, 403 from another site", "資格情報なしは 401、他サイトからは 403"),
            ),
        ),
    ),
)
LISTS: Mapping[str, tuple[Text, Sequence[Section]]] = {
    "before": (Text("Before deployment", "デプロイ前確認"), BEFORE),
    "after": (Text("After deployment", "デプロイ後確認"), AFTER),
}
