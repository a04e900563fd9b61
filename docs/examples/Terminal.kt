// A terminal in Kotlin, for the JVM and Android. It needs OkHttp 5 and org.json:
//   TMS_URL=wss://tms.example.com/ws/terminal/ TMS_CREDENTIAL=UID.SECRET java -cp … TerminalKt
// It passes the core checks of tms-conformance. It keeps reports in memory, and makes none while there is no link.
import java.time.Duration
import java.time.Instant
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import java.util.UUID
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.concurrent.ScheduledFuture
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.Response
import okhttp3.WebSocket
import okhttp3.WebSocketListener
import org.json.JSONArray
import org.json.JSONObject

/** Wait `leastS` seconds and a random part of `spreadS`. */
data class Wait(val leastS: Double, val spreadS: Double)

val RARELY = Wait(300.0, 300.0)
val AFTER_CLOSE = mapOf(
    4400 to Wait(60.0, 240.0), 4401 to RARELY, 4409 to Wait(60.0, 60.0),
    4413 to Wait(10.0, 50.0), 4429 to Wait(30.0, 30.0), 4503 to Wait(1.0, 30.0),
)
const val MOST_KEPT = 200 // as many reports as TMS takes in one array

class Terminal(private val url: String, private val credential: String) : WebSocketListener() {
    private val bootId = UUID.randomUUID().toString()
    private val kept = mutableListOf<JSONObject>() // reports without an acknowledgement, in the order of seq
    private val http = OkHttpClient.Builder()
        .connectTimeout(Duration.ofSeconds(20)).pingInterval(Duration.ofSeconds(20))
        .followRedirects(false).build()
    private val thread = Executors.newSingleThreadScheduledExecutor() // everything happens in it
    private val gone = CountDownLatch(1)
    private var link: WebSocket? = null
    private var reporting: ScheduledFuture<*>? = null
    private var seq = 0L
    private var clockError = Duration.ZERO
    private var waitedS = 0.0
    private var told: Wait? = null // what TMS says about coming back

    fun connect() {
        told = null
        val request = Request.Builder().url(url)
            .header("Authorization", "Bearer $credential").header("Sec-WebSocket-Protocol", "tms.v1").build()
        link = http.newWebSocket(request, this)
    }

    /** Says goodbye, and waits until the link is closed. */
    fun leave() {
        thread.execute {
            call("goodbye", JSONObject().put("reason", "shutdown"))
            if (link?.close(1000, null) != true) gone.countDown()
        }
        gone.await(3, TimeUnit.SECONDS)
    }

    override fun onOpen(webSocket: WebSocket, response: Response) = thread.execute {
        if (response.header("Sec-WebSocket-Protocol") != "tms.v1") return@execute webSocket.cancel() // not TMS
        val boot = JSONObject().put("boot_id", bootId).put("last_seq", seq).put("agent", "Terminal.kt")
            .put("capabilities", JSONArray(listOf("ping"))).put("full", state())
        call("boot", boot, id = 1)
    }

    override fun onMessage(webSocket: WebSocket, text: String) = thread.execute {
        runCatching { take(JSONObject(text)) }.onFailure { System.err.println("ignored a frame: ${it.message}") }
    }

    override fun onClosing(webSocket: WebSocket, code: Int, reason: String) {
        webSocket.close(1000, null)
    }

    override fun onClosed(webSocket: WebSocket, code: Int, reason: String) = thread.execute { ended(AFTER_CLOSE[code]) }

    override fun onFailure(webSocket: WebSocket, t: Throwable, response: Response?) {
        val wait = response?.let(::waitAfter)
        thread.execute { ended(wait) }
    }

    /** Waits at random, so that not all terminals come back at once; the window grows with the time waited so far. */
    private fun ended(wait: Wait?) {
        gone.countDown()
        reporting?.cancel(false)
        val (leastS, spreadS) = told ?: wait ?: Wait(0.0, waitedS.coerceIn(1.0, 60.0))
        val seconds = leastS + Random.nextDouble() * spreadS
        waitedS += seconds
        thread.schedule({ connect() }, (seconds * 1000).toLong(), TimeUnit.MILLISECONDS)
    }

    /** After a refused handshake. Without TMS's problem document, a 401 is of a proxy, and says nothing about the credential. */
    private fun waitAfter(response: Response): Wait? {
        val after = response.header("Retry-After")
        if (after != null) {
            val now = response.header("Date")?.let(::instant) ?: Instant.now()
            return Wait(after.toDoubleOrNull() ?: Duration.between(now, instant(after)).toMillis() / 1000.0, 1.0)
        }
        val body = runCatching { response.peekBody(65_536).string() }.getOrDefault("")
        return if (response.code == 401 && "\"tms:unauthorised\"" in body) RARELY else null
    }

    private fun take(frame: JSONObject) {
        val params = frame.optJSONObject("params")
        when (val method = frame.optString("method")) {
            "" -> if (frame.opt("id") == 1) begin(frame.optJSONObject("result"))
            "ack" -> if (params?.has("boot_id") == false) acknowledge(params.getLong("seq"))
            "drain" -> {
                told = Wait(params!!.getDouble("reconnect_after_s"), params.getDouble("spread_s"))
                link?.close(1000, null)
            }
            else -> if (frame.has("id")) send(answer(method, params).put("jsonrpc", "2.0").put("id", frame.get("id")))
        }
    }

    private fun begin(booted: JSONObject?) {
        val heartbeatS = booted?.optDouble("heartbeat_s") ?: 0.0
        if (!(heartbeatS > 0)) return link!!.cancel() // not an answer of TMS
        clockError = Duration.between(Instant.parse(booted!!.getString("server_time")), Instant.now())
        acknowledge(booted.optLong("acked_seq"))
        val again = kept.map { message("report", JSONObject(it.toString()).put("late", true)) }
        if (again.isNotEmpty()) link?.send(JSONArray(again).toString())
        val intervalMs = (heartbeatS.coerceIn(1.0, 3600.0) * 1000).toLong()
        reporting = thread.scheduleAtFixedRate({ report() }, intervalMs, intervalMs, TimeUnit.MILLISECONDS)
    }

    private fun report() {
        waitedS = 0.0 // this link is a good one
        kept += state().put("seq", ++seq).put("at", Instant.now().minus(clockError).toString())
        if (kept.size > MOST_KEPT) kept.removeAt(0)
        call("report", kept.last())
    }

    private fun acknowledge(upTo: Long) {
        while (kept.isNotEmpty() && kept.first().getLong("seq") <= upTo) kept.removeAt(0)
    }

    private fun answer(method: String, params: JSONObject?): JSONObject = when {
        method != "command" -> error(-32601, "unknown method $method")
        Instant.parse(params!!.getString("deadline")) < Instant.now().minus(clockError) -> error(-32006, "too late")
        params.get("name") == "ping" -> JSONObject().put("result", JSONObject().put("answer", "pong"))
        else -> error(-32005, "unknown command ${params.get("name")}")
    }

    private fun error(code: Int, message: String) =
        JSONObject().put("error", JSONObject().put("code", code).put("message", message))

    private fun state() = Runtime.getRuntime().let {
        JSONObject().put("status", "ok").put("metrics", JSONObject().put("memory_free_mb", it.freeMemory() / 1e6))
    }

    private fun message(method: String, params: JSONObject) =
        JSONObject().put("jsonrpc", "2.0").put("method", method).put("params", params)

    private fun call(method: String, params: JSONObject, id: Int? = null) = send(message(method, params).putOpt("id", id))

    private fun send(message: JSONObject) = link?.send(message.toString())

    private fun instant(date: String): Instant = ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant()
}

fun main() {
    val terminal = Terminal(System.getenv("TMS_URL"), System.getenv("TMS_CREDENTIAL"))
    Runtime.getRuntime().addShutdownHook(Thread(terminal::leave))
    terminal.connect()
}
