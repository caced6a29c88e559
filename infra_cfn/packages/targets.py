"""For what a package is built: the processor, the Python, and which wheels run there."""

from __future__ import annotations

from dataclasses import dataclass

#: Amazon Linux 2023, which Lambda's Python 3.13 and the warehouse machine run on, has glibc 2.34.
GLIBC_MINOR = 34
OLDEST_GLIBC_MINOR = 17


@dataclass(frozen=True)
class Target:
    """A processor by Lambda's own word for it (`x86_64`, `arm64`), and the Python of the runtime."""

    arch: str
    python: str = "3.13"

    @property
    def machine(self) -> str:
        """The processor by the word that wheels have for it."""
        return "aarch64" if self.arch == "arm64" else self.arch

    @property
    def pip_options(self) -> list[str]:
        """Have pip choose wheels for this target, whatever machine it runs on; never a source that it would compile."""
        newest_first = range(GLIBC_MINOR, OLDEST_GLIBC_MINOR - 1, -1)
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in newest_first] + [
            f"manylinux2014_{self.machine}"
        ]
        chosen = [option for name in platforms for option in ("--platform", name)]
        return ["--python-version", self.python, "--implementation", "cp", "--only-binary=:all:", *chosen]

    @property
    def markers(self) -> dict[str, str]:
        """What `; python_version < "3.14"` and its like are compared with: the target, not the machine that builds."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


TARGETS = (Target("x86_64"), Target("arm64"))
