"""The code location that `workspace.yaml` names.

What belongs here: the definitions of the present environment. What does not: anything else; import
`orchestration.definitions` to build definitions of another.
"""

from olist_pipeline.files import keep_private
from olist_pipeline.orchestration.definitions import build_defs
from olist_pipeline.settings import Settings

keep_private()
_settings = Settings.from_env()
_settings.export()
defs = build_defs(_settings)
