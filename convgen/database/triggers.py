"""What triggers have in common."""


def refuse(message: str, *, rule: str) -> str:
    """The PL/pgSQL statement that refuses a write as a constraint would: Django raises `IntegrityError`.

    `message` is an SQL expression, `rule` the name that stands for the constraint's.
    """
    return f"RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = '{rule}', MESSAGE = {message};"
