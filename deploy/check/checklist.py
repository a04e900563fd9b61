"""The two checklists, in the order of the operators' own list."""

from collections.abc import Mapping, Sequence

from deploy.check import access, cloud, code, probes, release, speed, traffic
from deploy.check.result import Check, Section, Text

BEFORE = (
    Section(
        "code",
        Text("Quality of the code", "コード品質"),
        (
            Check(
                Text("All tests pass", "全テストがパス"),
                code.tests,
                Text("`make test` passes for this commit", "このコミットで make test が成功"),
            ),
            Check(
                Text("Reviewed", "コードレビュー完了"),
                code.review,
                Text("somebody else approved it", "他の人が承認済み"),
            ),
            Check(
                Text("No known vulnerability", "セキュリティ脆弱性チェック"),
                code.vulnerabilities,
                Text("deploy/pipeline/audit finds nothing", "deploy/pipeline/audit で検出なし"),
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
                Text("only the load balancer is open to everybody", "全世界に開くのは ALB のみ"),
            ),
            Check(
                Text("RDS runs", "RDS起動"),
                cloud.rds,
                Text("available, Multi-AZ, encrypted, private", "稼働中、マルチ AZ、暗号化、非公開"),
            ),
            Check(
                Text("The database can be reached", "RDS接続確認"),
                release.database,
                Text(
                    "TMS_DATABASE_URL leads to a PostgreSQL that lets us in",
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
                    "manage.py check --deploy is silent (docs/settings.md)",
                    "manage.py check --deploy が何も報告しない (docs/settings.md)",
                ),
            ),
            Check(
                Text("Migrations", "データベースマイグレーション"),
                release.migrations,
                Text("manage.py migrate", "manage.py migrate を実行"),
            ),
            Check(
                Text("Files for browsers", "静的ファイル配信確認"),
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
                Text("every alarm of docs/runbook.md, each with an action", "docs/runbook.md の全アラームに通知先あり"),
            ),
            Check(
                Text("Logs arrive", "ログ収集確認"),
                cloud.logs,
                Text(
                    "an event within 15 minutes; before the first release there is none yet",
                    "15 分以内にログあり (初回リリース前はまだない)",
                ),
            ),
            Check(
                Text("Metrics arrive", "メトリクス送信確認"),
                cloud.metrics,
                Text(
                    "a value each minute; before the first release there is none yet",
                    "毎分データあり (初回リリース前はまだない)",
                ),
            ),
        ),
    ),
)
AFTER = (
    Section(
        "function",
        Text("It works", "機能確認"),
        (
            Check(
                Text("Health", "ヘルスチェック"),
                probes.health,
                Text("/health/?strict answers 200", "/health/?strict が 200"),
            ),
            Check(
                Text("Signing in", "ログイン機能動作"),
                probes.sign_in,
                Text(
                    "the account of CHECK_USERNAME and CHECK_PASSWORD gets in",
                    "CHECK_USERNAME と CHECK_PASSWORD でサインインできる",
                ),
            ),
            Check(
                Text("Main pages", "主要画面表示"),
                probes.main_pages,
                Text("each is 200 and whole", "すべて 200 で全体が表示"),
            ),
            Check(
                Text("API", "API応答確認"),
                probes.api,
                Text("403 as application/problem+json", "application/problem+json で 403"),
            ),
            Check(
                Text("Files for browsers", "静的ファイル配信"),
                probes.static_files,
                Text(
                    "200, text/css, kept for a day or longer (docs/runbook.md)",
                    "200、text/css、1 日以上キャッシュ (docs/runbook.md)",
                ),
            ),
            Check(
                Text("Live boards", "ボードのWebSocket"),
                access.board,
                Text("101 through the front", "フロント経由で 101"),
            ),
            Check(
                Text("Logs arrive", "ログ収集"), cloud.logs, Text("an event within 15 minutes", "15 分以内にログあり")
            ),
            Check(
                Text("Metrics arrive", "メトリクス送信"), cloud.metrics, Text("a value each minute", "毎分データあり")
            ),
            Check(
                Text("No new alarm", "新たなアラームなし"),
                cloud.no_new_alarms,
                Text(
                    "no alarm rings that did not ring before (docs/runbook.md)",
                    "新たに発報したアラームなし (docs/runbook.md)",
                ),
            ),
        ),
    ),
    Section(
        "traffic",
        Text("What the load balancer sees", "ロードバランサーから見た状態"),
        (
            Check(
                Text("Healthy hosts", "正常なホスト"),
                traffic.hosts,
                Text("two or more, and each one registered is healthy", "2 台以上、登録されたすべてが healthy"),
            ),
            Check(
                Text("Server errors", "サーバーエラー"),
                traffic.errors,
                Text(
                    f"{traffic.MOST_ERRORS} answers of 5xx a minute at most",
                    f"5xx の応答が 1 分あたり {traffic.MOST_ERRORS} 件以下",
                ),
            ),
        ),
    ),
    Section(
        "speed",
        Text("It is quick", "性能確認"),
        (
            Check(
                Text("Latency at the load balancer", "ロードバランサーでの応答時間"),
                traffic.latency,
                Text("p95 of TargetResponseTime within --slow-ms", "TargetResponseTime の p95 が --slow-ms 以内"),
            ),
            Check(
                Text("Response times", "レスポンスタイム測定"),
                speed.response_times,
                Text("each page's median within --slow-ms", "各画面の中央値が --slow-ms 以内"),
            ),
            Check(
                Text("A short load", "負荷テスト実施"),
                speed.load,
                Text("no error, p95 within four times that", "エラーなし、p95 がその 4 倍以内"),
            ),
            Check(
                Text("Several nodes", "複数ノードへの分散"),
                speed.nodes,
                Text("two or more answer", "2 ノード以上が応答"),
            ),
            Check(
                Text("Scaling", "スケーリング動作確認"),
                cloud.scaling,
                Text(
                    "the group, or the service, has scaling policies",
                    "グループまたはサービスにスケーリングポリシーあり",
                ),
            ),
        ),
    ),
    Section(
        "security",
        Text("It is safe", "セキュリティ"),
        (
            Check(
                Text("Certificate and TLS", "SSL証明書適用"),
                access.certificate,
                Text(
                    "TLS 1.3, a certificate for this name, 21 days or more", "TLS 1.3、この名前の証明書、残り 21 日以上"
                ),
            ),
            Check(
                Text("HTTP leads to HTTPS", "HTTPからHTTPSへの転送"),
                access.redirect,
                Text("301 to https://", "https:// へ 301"),
            ),
            Check(
                Text("Headers", "セキュリティヘッダー"),
                access.headers,
                Text("HSTS for a year, CSP without unsafe", "HSTS 1年、unsafe のない CSP"),
            ),
            Check(
                Text("WAF", "WAF動作確認"),
                cloud.firewall,
                Text("the web ACL stands before the load balancer", "Web ACL が ALB に適用済み"),
            ),
            Check(
                Text("Metrics are private", "メトリクス非公開"),
                access.metrics,
                Text("403 or 404 from outside", "外部からは 403 か 404"),
            ),
            Check(
                Text("Strangers stay outside", "アクセス制限確認"),
                access.anonymous_access,
                Text("everything but the sign-in page leads there", "サインイン画面以外はすべて転送"),
            ),
            Check(
                Text("Sockets are guarded", "WebSocketのアクセス制限"),
                access.sockets,
                Text("401 and 403", "401 と 403"),
            ),
        ),
    ),
)
LISTS: Mapping[str, tuple[Text, Sequence[Section]]] = {
    "before": (Text("Before the deployment", "デプロイ前確認"), BEFORE),
    "after": (Text("After the deployment", "デプロイ後確認"), AFTER),
}
