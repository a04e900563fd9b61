from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Names carry a hash of the contents, also where one JavaScript module imports another.

    Otherwise a browser may mix the modules of two releases for as long as its cache holds one of them.
    """

    support_js_module_import_aggregation = True
