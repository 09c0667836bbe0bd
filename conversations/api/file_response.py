"""A file as a response, whose memory stays flat however large it is."""

from collections.abc import AsyncIterator, Iterator
from typing import cast

from asgiref.sync import sync_to_async
from django.http import FileResponse


class FileInBlocks(FileResponse):
    """Read block by block under ASGI, too, where Django's own reads the whole file before it sends the first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        blocks = cast(Iterator[bytes], self.streaming_content)
        while block := await sync_to_async(lambda: next(blocks, b""))():
            yield block
