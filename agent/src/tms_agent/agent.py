"""An agent: samples its source, spools unacknowledged reports, and keeps one link to TMS."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tms_agent.commands.runner import Commands
from tms_agent.connection.backoff import Backoff
from tms_agent.connection.dates import Dates
from tms_agent.connection.dialer import Dialer, agent_name
from tms_agent.connection.link import AgentLink, Closed, HandshakeRefused, LinkEnd
from tms_agent.connection.pace import Pace
from tms_agent.connection.session import AgentSession
from tms_agent.connection.uploads import Uploader
from tms_agent.device.source import DeviceSource
from tms_agent.log import Log
from tms_agent.management import Management
from tms_agent.options import Options
from tms_agent.protocol import frames, limits
from tms_agent.protocol.close_codes import CloseCode
from tms_agent.protocol.credential import PlainCredential
from tms_agent.recorder import Recorder
from tms_agent.storage.answers import Answers
from tms_agent.storage.command_journal import CommandJournal
from tms_agent.storage.outbox import SMALLEST_FRAME, Outbox
from tms_agent.storage.spool import Spool
from tms_agent.storage.state import AgentPhase, AgentState
from tms_agent.timeouts import Timeout, timeout
from tms_agent.updating.download import Place
from tms_agent.updating.manifest import Present

FIRST_HEARTBEAT_S = 30.0
"""Sampling interval until TMS has sent its own."""
MIN_TICK_S = 1.0
STABLE_S = 10.0
"""The length of a link after which the next failure counts as the first."""
MAX_TICK_S = 3600.0


class Interrupted(LinkEnd):
    """The caller stopped the agent or sent it offline while it dialled."""


class Agent:
    """Light enough that thousands run in one event loop: no thread, and two tasks beside the caller's.

    Each `run` is a separate boot; spooled reports of earlier boots are sent first.
    """

    def __init__(
        self,
        url: str,
        credential: PlainCredential,
        *,
        source: DeviceSource,
        spool: Spool | None = None,
        commands: CommandJournal | None = None,
        backoff: Backoff | None = None,
        options: Options | None = None,
        on_change: Callable[[AgentState], None] | None = None,
    ) -> None:
        self.spool = Spool() if spool is None else spool
        self.state = AgentState()
        self._command_journal = commands
        self._source = source
        self._options = options or Options()
        self._place = Place(url, f"Bearer {credential}", self._options.network, self._options.jitter)
        self._backoff = backoff or Backoff(jitter=self._options.jitter)
        self._on_change = on_change
        self._heartbeat_s = FIRST_HEARTBEAT_S
        self._was_accepted = False
        self._log = Log(credential.uid)
        network = self._options.network.dated_by(Dates(self._options.now, self._clock_error))
        self._dialer = Dialer(
            url,
            credential,
            network=network,
            ping_s=self._options.ping_s,
        )
        self._uploader = Uploader(url, credential, network=network, jitter=self._options.jitter, log=self._log)
        self._frame_bytes = limits.FRAME_BYTES
        self._link: AgentLink | None = None
        self._session: AgentSession | None = None
        self._waiting: Timeout | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._offline_until = 0.0
        self._boot()

    async def run(self) -> frames.GoodbyeFrame | None:
        """Runs until `stop` or `crash`. Returns the planned goodbye; None after a crash or a rejection."""
        self._boot()
        self._arm(self._tick_s)
        self._management.resume()
        try:
            while not self._is_leaving:
                await self._rest(self._offline_s or await self._one_link())
        finally:
            await self._end()
        return self._goodbye

    @property
    def restart_command(self) -> Sequence[str]:
        """What remains to be run after a goodbye for an update; empty for nothing."""
        return self._management.restart_command

    def stop(self, reason: frames.GoodbyeReason = "shutdown", back_at: datetime | None = None) -> None:
        """Say goodbye, close the link, and make `run` return."""
        self._leave(frames.GoodbyeFrame(reason, back_at))

    def crash(self) -> None:
        """Make `run` return without a goodbye, like a power cut."""
        self._leave(None)

    def offline_for(self, seconds: float) -> None:
        """Cut the link, and dial again after `seconds` at the earliest; samples are spooled meanwhile."""
        self._offline_until = asyncio.get_running_loop().time() + seconds
        self._interrupt()

    def report_now(self) -> None:
        """Sample outside the interval, because something happened."""
        self._recorder.record(round_trip_s=self._link.round_trip_s if self._link else 0.0)
        self._wake()

    # One run

    def _boot(self) -> None:
        self._is_leaving = False
        self._goodbye: frames.GoodbyeFrame | None = None
        self._recorder = Recorder(
            self._source, self.spool, clock=self._options.clock, wall=self._options.now, log=self._log
        )
        self._commands = Commands(
            self._source,
            Answers(self._command_journal),
            now=self._recorder.now,
            on_news=self._wake,
            on_goodbye=self._leave,
            upload=self._uploader.send,
            log=self._log,
        )
        self._management = Management(
            self._options.management,
            self._place,
            present=self._present,
            now=self._recorder.now,
            commands=self._commands,
            reconnect=self._interrupt,
            on_goodbye=self._leave,
            log=self._log,
        )

    def _present(self, name: str) -> Present:
        identity = self._source.identity
        other = agent_name().partition("/")[2] if name == "tms-agent" else identity.firmware
        return Present(identity.model, identity.software.get(name) or other)

    def _clock_error(self) -> timedelta | None:
        return self._recorder.clock_error()

    async def _end(self) -> None:
        if self._timer:
            self._timer.cancel()
        if self._link:
            self._link.abort()
        self.spool.save()
        self._management.cancel()
        await self._commands.stop()
        self._set(phase=AgentPhase.STOPPED)

    def _leave(self, goodbye: frames.GoodbyeFrame | None) -> None:
        if self._is_leaving:
            return
        if goodbye and goodbye.back_at:
            goodbye = replace(goodbye, back_at=self._recorder.corrected(goodbye.back_at))
        self._is_leaving = True
        self._goodbye = goodbye
        if self._session and goodbye:
            self._session.leave(goodbye)
        else:
            self._interrupt()

    def _interrupt(self) -> None:
        if self._link:
            self._link.abort()
        if self._waiting:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def _interruptible(self, seconds: float | None) -> AsyncIterator[None]:
        """Raises TimeoutError after `seconds`, or when the agent is stopped or sent offline."""
        try:
            async with timeout(seconds) as self._waiting:
                yield
        finally:
            self._waiting = None

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with self._interruptible(seconds):
                await asyncio.Future()

    @property
    def _offline_s(self) -> float:
        return max(0.0, self._offline_until - asyncio.get_running_loop().time())

    # Samples

    @property
    def _tick_s(self) -> float:
        """A terminal may send more often than TMS asks, never less: its lease would expire."""
        wanted_s = min(self._options.interval_s or MAX_TICK_S, self._heartbeat_s, MAX_TICK_S)
        return max(MIN_TICK_S, wanted_s)

    def _arm(self, delay_s: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._arm(self._tick_s)
        if self._session:
            self._session.outbox.is_beat_due = True
        self.report_now()

    def _wake(self) -> None:
        if self._session:
            self._session.wake()

    # One link

    async def _one_link(self) -> float:
        """Returns how long to wait before the next link."""
        self._set(phase=AgentPhase.DIALLING)
        try:
            self._link = await self._dial()
            end = await self._use(self._link)
        except LinkEnd as failure:
            end = failure
        finally:
            if self._link:
                self._link.abort()
            self._link = self._session = None
        return 0.0 if self._is_leaving else self._after(end)

    async def _dial(self) -> AgentLink:
        try:
            async with self._interruptible(None):
                return await self._dialer.dial()
        except TimeoutError:
            raise Interrupted("stopped or sent offline") from None

    async def _use(self, link: AgentLink) -> LinkEnd:
        loop = asyncio.get_running_loop()
        if link.has_unchecked_dates:
            self._log.warning("this clock is before the date of this software: dates of certificates are not checked")
        boot = replace(
            self._recorder.boot(),
            features=self._management.features,
            config_version=self._management.config_version,
            unchecked_dates=link.has_unchecked_dates,
        )
        booted = await link.boot(boot)
        since = loop.time()
        self._session = self._begin(link, boot, booted)
        end = await self._session.run()
        if loop.time() - since >= STABLE_S:
            self._backoff.reset()
        return end

    def _begin(self, link: AgentLink, boot: frames.BootFrame, booted: frames.BootResult) -> AgentSession:
        self._recorder.set_clock(booted.server_time)
        self._heartbeat_s = booted.heartbeat_s
        self._was_accepted = True
        self._log.info(
            "connected to %s, session %s, %s reports to send", self._dialer.url, booted.session, len(self.spool)
        )
        outbox = Outbox(
            self.spool,
            self._commands.answers,
            self._commands.progress,
            boot=boot,
            booted=booted,
            frame_bytes=self._frame_bytes,
            clock=self._options.clock,
            log=self._log,
        )
        self._recorder.frame_bytes = outbox.frame_bytes
        outbox.take_ack(frames.AckFrame(booted.acked_seq))
        pace = Pace(booted.limits, at=asyncio.get_running_loop().time())
        # At random: many terminals connect at once after an outage, and would otherwise stay in step for ever.
        self._arm(self._options.jitter() * self._tick_s)
        self._set(phase=AgentPhase.CONNECTED, session=booted.session, acked_seq=booted.acked_seq, refused="")
        self._management.link_booted()
        return AgentSession(link, outbox, pace, self._commands, self._management, on_ack=self._take_ack, log=self._log)

    def _take_ack(self, ack: frames.AckFrame) -> None:
        if ack.boot_id is None:
            self._set(acked_seq=ack.seq)

    def _after(self, end: LinkEnd) -> float:
        if isinstance(end, Interrupted):
            return self._offline_s
        if is_refusal(end):
            self._set(refused=str(end))
            self._is_leaving = self._options.ends_when_refused and not self._was_accepted
        wait_s = 0.0 if self._is_leaving else max(self._backoff.after(end), self._offline_s)
        self._log.warning("%s; %s", end, "giving up" if self._is_leaving else f"next try in {wait_s:.0f} s")
        self._set(phase=AgentPhase.WAITING, last_error=str(end))
        if isinstance(end, Closed) and end.code == CloseCode.TOO_LARGE:
            self._frame_bytes = max(self._frame_bytes // 2, SMALLEST_FRAME)
        return wait_s

    def _set(self, **changes: Any) -> None:
        state = replace(self.state, boot_id=self._recorder.boot_id, **changes)
        if state != self.state:
            self.state = state
            if self._on_change:
                self._on_change(state)


def is_refusal(end: LinkEnd) -> bool:
    """TMS rejects the credential for good."""
    return (isinstance(end, HandshakeRefused) and end.is_credential_rejected) or (
        isinstance(end, Closed) and end.code == CloseCode.CREDENTIAL_REVOKED
    )
