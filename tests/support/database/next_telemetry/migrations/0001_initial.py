from importlib import import_module

Migration = import_module("tms.telemetry.migrations.0001_initial").Migration
