"""A file system without locks, planted: there is none on the machines that run the tests."""

import errno
import fcntl

REFUSALS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)


def refuse_locks(monkeypatch, number: int) -> None:
    """Let every `flock` of this process fail as on such a file system."""

    def refuse(_descriptor, _operation):
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
