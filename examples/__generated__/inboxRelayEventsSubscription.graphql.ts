/**
 * @generated SignedSource<<9acfed5cb96cdad7a964d22a1c90f710>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type ContactChannelAction = "BLOCK" | "START" | "UNBLOCK" | "UPDATE_BLOCK";
export type ContactStatus = "ACTIVE" | "BLOCKED";
export type ConversationAction = "ACCEPT" | "DECLINE" | "END" | "NOTE" | "OFFER" | "REPLY" | "TAKE" | "TRANSFER";
export type ConversationEndReason = "BLOCKED" | "CHANNEL_ARCHIVED" | "INACTIVITY" | "RESOLVED";
export type ConversationStatus = "ACTIVE" | "ASSIGNING" | "BLOCKED" | "BOT" | "ENDED" | "WAITING";
export type DeliveryStatus = "CANCELED" | "FAILED" | "QUEUED" | "SENDING" | "SENT";
export type MessageDirection = "INBOUND" | "OUTBOUND";
export type MessageKind = "AUDIO" | "EVENT" | "FILE" | "IMAGE" | "LOCATION" | "STICKER" | "TEXT" | "UNSUPPORTED" | "VIDEO";
export type inboxRelayEventsSubscription$variables = {
  after: string;
};
export type inboxRelayEventsSubscription$data = {
  readonly deskEvents: {
    readonly __typename: string;
    readonly block?: {
      readonly active: boolean;
      readonly contactChannel: {
        readonly contact: {
          readonly id: string;
          readonly name: string | null;
        };
        readonly id: string;
      };
      readonly expiresAt: string | null;
      readonly id: string;
      readonly notes: string | null;
      readonly sortKey: string;
      readonly suppressedMessageCount: number;
    };
    readonly changedMessage?: {
      readonly clientMessageId: string | null;
      readonly deliveryStatus: DeliveryStatus | null;
      readonly direction: MessageDirection;
      readonly id: string;
      readonly kind: MessageKind;
      readonly seq: number;
      readonly text: string | null;
      readonly unsentAt: string | null;
    };
    readonly contact?: {
      readonly channels: ReadonlyArray<{
        readonly activeBlock: {
          readonly id: string;
        } | null;
        readonly allowedActions: ReadonlyArray<ContactChannelAction>;
        readonly channel: {
          readonly id: string;
        };
        readonly id: string;
        readonly reachable: boolean;
      }>;
      readonly id: string;
      readonly name: string | null;
      readonly sortKey: string;
      readonly status: ContactStatus;
    };
    readonly contactChannel?: {
      readonly contact: {
        readonly channels: ReadonlyArray<{
          readonly activeBlock: {
            readonly id: string;
          } | null;
          readonly allowedActions: ReadonlyArray<ContactChannelAction>;
          readonly channel: {
            readonly id: string;
          };
          readonly id: string;
          readonly reachable: boolean;
        }>;
        readonly id: string;
        readonly name: string | null;
        readonly sortKey: string;
        readonly status: ContactStatus;
      };
    };
    readonly conversation?: {
      readonly allowedActions: ReadonlyArray<ConversationAction>;
      readonly assignee: {
        readonly id: string;
        readonly name: string | null;
      } | null;
      readonly blocked: boolean;
      readonly contact: {
        readonly channels: ReadonlyArray<{
          readonly activeBlock: {
            readonly id: string;
          } | null;
          readonly allowedActions: ReadonlyArray<ContactChannelAction>;
          readonly channel: {
            readonly id: string;
          };
          readonly id: string;
          readonly reachable: boolean;
        }>;
        readonly id: string;
        readonly name: string | null;
        readonly sortKey: string;
        readonly status: ContactStatus;
      };
      readonly endReason: ConversationEndReason | null;
      readonly id: string;
      readonly messages: {
        readonly edges: ReadonlyArray<{
          readonly node: {
            readonly id: string;
            readonly text: string | null;
          };
        }>;
      };
      readonly offerExpiresAt: string | null;
      readonly offeredTo: {
        readonly id: string;
        readonly name: string | null;
      } | null;
      readonly sortKey: string;
      readonly status: ConversationStatus;
    };
    readonly conversations?: ReadonlyArray<{
      readonly allowedActions: ReadonlyArray<ConversationAction>;
      readonly assignee: {
        readonly id: string;
        readonly name: string | null;
      } | null;
      readonly blocked: boolean;
      readonly contact: {
        readonly id: string;
        readonly name: string | null;
      };
      readonly endReason: ConversationEndReason | null;
      readonly id: string;
      readonly messages: {
        readonly edges: ReadonlyArray<{
          readonly node: {
            readonly id: string;
            readonly text: string | null;
          };
        }>;
      };
      readonly offerExpiresAt: string | null;
      readonly offeredTo: {
        readonly id: string;
        readonly name: string | null;
      } | null;
      readonly sortKey: string;
      readonly status: ConversationStatus;
    }>;
    readonly cursor: string;
    readonly message?: {
      readonly clientMessageId: string | null;
      readonly contactChannel: {
        readonly activeBlock: {
          readonly active: boolean;
          readonly contactChannel: {
            readonly contact: {
              readonly id: string;
              readonly name: string | null;
            };
            readonly id: string;
          };
          readonly expiresAt: string | null;
          readonly id: string;
          readonly notes: string | null;
          readonly sortKey: string;
          readonly suppressedMessageCount: number;
        } | null;
        readonly contact: {
          readonly channels: ReadonlyArray<{
            readonly activeBlock: {
              readonly id: string;
            } | null;
            readonly allowedActions: ReadonlyArray<ContactChannelAction>;
            readonly channel: {
              readonly id: string;
            };
            readonly id: string;
            readonly reachable: boolean;
          }>;
          readonly id: string;
          readonly name: string | null;
          readonly sortKey: string;
          readonly status: ContactStatus;
        };
      };
      readonly conversation: {
        readonly allowedActions: ReadonlyArray<ConversationAction>;
        readonly assignee: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly blocked: boolean;
        readonly contact: {
          readonly id: string;
          readonly name: string | null;
        };
        readonly endReason: ConversationEndReason | null;
        readonly id: string;
        readonly messages: {
          readonly edges: ReadonlyArray<{
            readonly node: {
              readonly id: string;
              readonly text: string | null;
            };
          }>;
        };
        readonly offerExpiresAt: string | null;
        readonly offeredTo: {
          readonly id: string;
          readonly name: string | null;
        } | null;
        readonly sortKey: string;
        readonly status: ConversationStatus;
      } | null;
      readonly deliveryStatus: DeliveryStatus | null;
      readonly direction: MessageDirection;
      readonly id: string;
      readonly kind: MessageKind;
      readonly seq: number;
      readonly text: string | null;
      readonly unsentAt: string | null;
    };
  };
};
export type inboxRelayEventsSubscription = {
  response: inboxRelayEventsSubscription$data;
  variables: inboxRelayEventsSubscription$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "after"
  }
],
v1 = [
  {
    "kind": "Variable",
    "name": "after",
    "variableName": "after"
  }
],
v2 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "__typename",
  "storageKey": null
},
v3 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "cursor",
  "storageKey": null
},
v4 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
},
v5 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "sortKey",
  "storageKey": null
},
v6 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "status",
  "storageKey": null
},
v7 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "blocked",
  "storageKey": null
},
v8 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "allowedActions",
  "storageKey": null
},
v9 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "offerExpiresAt",
  "storageKey": null
},
v10 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "endReason",
  "storageKey": null
},
v11 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "name",
  "storageKey": null
},
v12 = [
  (v4/*:: as any*/),
  (v11/*:: as any*/)
],
v13 = {
  "alias": null,
  "args": null,
  "concreteType": "Agent",
  "kind": "LinkedField",
  "name": "assignee",
  "plural": false,
  "selections": (v12/*:: as any*/),
  "storageKey": null
},
v14 = {
  "alias": null,
  "args": null,
  "concreteType": "Agent",
  "kind": "LinkedField",
  "name": "offeredTo",
  "plural": false,
  "selections": (v12/*:: as any*/),
  "storageKey": null
},
v15 = [
  (v4/*:: as any*/)
],
v16 = {
  "alias": null,
  "args": null,
  "concreteType": "ContactChannel",
  "kind": "LinkedField",
  "name": "channels",
  "plural": true,
  "selections": [
    (v4/*:: as any*/),
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "reachable",
      "storageKey": null
    },
    (v8/*:: as any*/),
    {
      "alias": null,
      "args": null,
      "concreteType": "Channel",
      "kind": "LinkedField",
      "name": "channel",
      "plural": false,
      "selections": (v15/*:: as any*/),
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "Block",
      "kind": "LinkedField",
      "name": "activeBlock",
      "plural": false,
      "selections": (v15/*:: as any*/),
      "storageKey": null
    }
  ],
  "storageKey": null
},
v17 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "text",
  "storageKey": null
},
v18 = {
  "alias": null,
  "args": [
    {
      "kind": "Literal",
      "name": "last",
      "value": 1
    }
  ],
  "concreteType": "ConversationMessagesConnection",
  "kind": "LinkedField",
  "name": "messages",
  "plural": false,
  "selections": [
    {
      "alias": null,
      "args": null,
      "concreteType": "ConversationMessagesConnectionEdge",
      "kind": "LinkedField",
      "name": "edges",
      "plural": true,
      "selections": [
        {
          "alias": null,
          "args": null,
          "concreteType": "Message",
          "kind": "LinkedField",
          "name": "node",
          "plural": false,
          "selections": [
            (v4/*:: as any*/),
            (v17/*:: as any*/)
          ],
          "storageKey": null
        }
      ],
      "storageKey": null
    }
  ],
  "storageKey": "messages(last:1)"
},
v19 = [
  {
    "alias": null,
    "args": null,
    "concreteType": "Conversation",
    "kind": "LinkedField",
    "name": "conversation",
    "plural": false,
    "selections": [
      (v4/*:: as any*/),
      (v5/*:: as any*/),
      (v6/*:: as any*/),
      (v7/*:: as any*/),
      (v8/*:: as any*/),
      (v9/*:: as any*/),
      (v10/*:: as any*/),
      (v13/*:: as any*/),
      (v14/*:: as any*/),
      {
        "alias": null,
        "args": null,
        "concreteType": "Contact",
        "kind": "LinkedField",
        "name": "contact",
        "plural": false,
        "selections": [
          (v4/*:: as any*/),
          (v11/*:: as any*/),
          (v5/*:: as any*/),
          (v6/*:: as any*/),
          (v16/*:: as any*/)
        ],
        "storageKey": null
      },
      (v18/*:: as any*/)
    ],
    "storageKey": null
  }
],
v20 = {
  "kind": "InlineFragment",
  "selections": (v19/*:: as any*/),
  "type": "ConversationChangedEvent",
  "abstractKey": null
},
v21 = {
  "kind": "InlineFragment",
  "selections": (v19/*:: as any*/),
  "type": "ConversationEndedEvent",
  "abstractKey": null
},
v22 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "seq",
  "storageKey": null
},
v23 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "direction",
  "storageKey": null
},
v24 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "kind",
  "storageKey": null
},
v25 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "unsentAt",
  "storageKey": null
},
v26 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "deliveryStatus",
  "storageKey": null
},
v27 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "clientMessageId",
  "storageKey": null
},
v28 = {
  "alias": null,
  "args": null,
  "concreteType": "Contact",
  "kind": "LinkedField",
  "name": "contact",
  "plural": false,
  "selections": (v12/*:: as any*/),
  "storageKey": null
},
v29 = [
  (v4/*:: as any*/),
  (v5/*:: as any*/),
  (v6/*:: as any*/),
  (v7/*:: as any*/),
  (v8/*:: as any*/),
  (v9/*:: as any*/),
  (v10/*:: as any*/),
  (v13/*:: as any*/),
  (v14/*:: as any*/),
  (v28/*:: as any*/),
  (v18/*:: as any*/)
],
v30 = {
  "alias": null,
  "args": null,
  "concreteType": "Conversation",
  "kind": "LinkedField",
  "name": "conversation",
  "plural": false,
  "selections": (v29/*:: as any*/),
  "storageKey": null
},
v31 = {
  "alias": null,
  "args": null,
  "concreteType": "Contact",
  "kind": "LinkedField",
  "name": "contact",
  "plural": false,
  "selections": [
    (v4/*:: as any*/),
    (v5/*:: as any*/),
    (v11/*:: as any*/),
    (v6/*:: as any*/),
    (v16/*:: as any*/)
  ],
  "storageKey": null
},
v32 = [
  (v4/*:: as any*/),
  (v5/*:: as any*/),
  {
    "alias": null,
    "args": null,
    "kind": "ScalarField",
    "name": "active",
    "storageKey": null
  },
  {
    "alias": null,
    "args": null,
    "kind": "ScalarField",
    "name": "notes",
    "storageKey": null
  },
  {
    "alias": null,
    "args": null,
    "kind": "ScalarField",
    "name": "expiresAt",
    "storageKey": null
  },
  {
    "alias": null,
    "args": null,
    "kind": "ScalarField",
    "name": "suppressedMessageCount",
    "storageKey": null
  },
  {
    "alias": null,
    "args": null,
    "concreteType": "ContactChannel",
    "kind": "LinkedField",
    "name": "contactChannel",
    "plural": false,
    "selections": [
      (v4/*:: as any*/),
      (v28/*:: as any*/)
    ],
    "storageKey": null
  }
],
v33 = {
  "alias": null,
  "args": null,
  "concreteType": "Block",
  "kind": "LinkedField",
  "name": "activeBlock",
  "plural": false,
  "selections": (v32/*:: as any*/),
  "storageKey": null
},
v34 = {
  "kind": "InlineFragment",
  "selections": [
    {
      "alias": "changedMessage",
      "args": null,
      "concreteType": "Message",
      "kind": "LinkedField",
      "name": "message",
      "plural": false,
      "selections": [
        (v4/*:: as any*/),
        (v22/*:: as any*/),
        (v23/*:: as any*/),
        (v24/*:: as any*/),
        (v17/*:: as any*/),
        (v25/*:: as any*/),
        (v26/*:: as any*/),
        (v27/*:: as any*/)
      ],
      "storageKey": null
    }
  ],
  "type": "MessageChangedEvent",
  "abstractKey": null
},
v35 = [
  (v31/*:: as any*/)
],
v36 = {
  "alias": null,
  "args": null,
  "concreteType": "Conversation",
  "kind": "LinkedField",
  "name": "conversations",
  "plural": true,
  "selections": (v29/*:: as any*/),
  "storageKey": null
},
v37 = {
  "alias": null,
  "args": null,
  "concreteType": "Block",
  "kind": "LinkedField",
  "name": "block",
  "plural": false,
  "selections": (v32/*:: as any*/),
  "storageKey": null
},
v38 = {
  "kind": "InlineFragment",
  "selections": (v35/*:: as any*/),
  "type": "ContactChangedEvent",
  "abstractKey": null
};
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "inboxRelayEventsSubscription",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": null,
        "kind": "LinkedField",
        "name": "deskEvents",
        "plural": false,
        "selections": [
          (v2/*:: as any*/),
          (v3/*:: as any*/),
          (v20/*:: as any*/),
          (v21/*:: as any*/),
          {
            "kind": "InlineFragment",
            "selections": [
              {
                "alias": null,
                "args": null,
                "concreteType": "Message",
                "kind": "LinkedField",
                "name": "message",
                "plural": false,
                "selections": [
                  (v4/*:: as any*/),
                  (v22/*:: as any*/),
                  (v23/*:: as any*/),
                  (v24/*:: as any*/),
                  (v17/*:: as any*/),
                  (v25/*:: as any*/),
                  (v26/*:: as any*/),
                  (v27/*:: as any*/),
                  (v30/*:: as any*/),
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "ContactChannel",
                    "kind": "LinkedField",
                    "name": "contactChannel",
                    "plural": false,
                    "selections": [
                      (v31/*:: as any*/),
                      (v33/*:: as any*/)
                    ],
                    "storageKey": null
                  }
                ],
                "storageKey": null
              }
            ],
            "type": "MessageRecordedEvent",
            "abstractKey": null
          },
          (v34/*:: as any*/),
          {
            "kind": "InlineFragment",
            "selections": [
              {
                "alias": null,
                "args": null,
                "concreteType": "ContactChannel",
                "kind": "LinkedField",
                "name": "contactChannel",
                "plural": false,
                "selections": (v35/*:: as any*/),
                "storageKey": null
              },
              (v36/*:: as any*/),
              (v37/*:: as any*/)
            ],
            "type": "ContactStatusChangedEvent",
            "abstractKey": null
          },
          (v38/*:: as any*/)
        ],
        "storageKey": null
      }
    ],
    "type": "Subscription",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "inboxRelayEventsSubscription",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": null,
        "kind": "LinkedField",
        "name": "deskEvents",
        "plural": false,
        "selections": [
          (v2/*:: as any*/),
          (v3/*:: as any*/),
          (v20/*:: as any*/),
          (v21/*:: as any*/),
          {
            "kind": "InlineFragment",
            "selections": [
              {
                "alias": null,
                "args": null,
                "concreteType": "Message",
                "kind": "LinkedField",
                "name": "message",
                "plural": false,
                "selections": [
                  (v4/*:: as any*/),
                  (v22/*:: as any*/),
                  (v23/*:: as any*/),
                  (v24/*:: as any*/),
                  (v17/*:: as any*/),
                  (v25/*:: as any*/),
                  (v26/*:: as any*/),
                  (v27/*:: as any*/),
                  (v30/*:: as any*/),
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "ContactChannel",
                    "kind": "LinkedField",
                    "name": "contactChannel",
                    "plural": false,
                    "selections": [
                      (v31/*:: as any*/),
                      (v33/*:: as any*/),
                      (v4/*:: as any*/)
                    ],
                    "storageKey": null
                  }
                ],
                "storageKey": null
              }
            ],
            "type": "MessageRecordedEvent",
            "abstractKey": null
          },
          (v34/*:: as any*/),
          {
            "kind": "InlineFragment",
            "selections": [
              {
                "alias": null,
                "args": null,
                "concreteType": "ContactChannel",
                "kind": "LinkedField",
                "name": "contactChannel",
                "plural": false,
                "selections": [
                  (v31/*:: as any*/),
                  (v4/*:: as any*/)
                ],
                "storageKey": null
              },
              (v36/*:: as any*/),
              (v37/*:: as any*/)
            ],
            "type": "ContactStatusChangedEvent",
            "abstractKey": null
          },
          (v38/*:: as any*/),
          (v4/*:: as any*/)
        ],
        "storageKey": null
      }
    ]
  },
  "params": {
    "cacheID": "bd47cd3376cbd23cfc1185a67f985807",
    "id": null,
    "metadata": {},
    "name": "inboxRelayEventsSubscription",
    "operationKind": "subscription",
    "text": "subscription inboxRelayEventsSubscription(\n  $after: Cursor!\n) {\n  deskEvents(after: $after) {\n    __typename\n    cursor\n    ... on ConversationChangedEvent {\n      conversation {\n        id\n        sortKey\n        status\n        blocked\n        allowedActions\n        offerExpiresAt\n        endReason\n        assignee {\n          id\n          name\n        }\n        offeredTo {\n          id\n          name\n        }\n        contact {\n          id\n          name\n          sortKey\n          status\n          channels {\n            id\n            reachable\n            allowedActions\n            channel {\n              id\n            }\n            activeBlock {\n              id\n            }\n          }\n        }\n        messages(last: 1) {\n          edges {\n            node {\n              id\n              text\n            }\n          }\n        }\n      }\n    }\n    ... on ConversationEndedEvent {\n      conversation {\n        id\n        sortKey\n        status\n        blocked\n        allowedActions\n        offerExpiresAt\n        endReason\n        assignee {\n          id\n          name\n        }\n        offeredTo {\n          id\n          name\n        }\n        contact {\n          id\n          name\n          sortKey\n          status\n          channels {\n            id\n            reachable\n            allowedActions\n            channel {\n              id\n            }\n            activeBlock {\n              id\n            }\n          }\n        }\n        messages(last: 1) {\n          edges {\n            node {\n              id\n              text\n            }\n          }\n        }\n      }\n    }\n    ... on MessageRecordedEvent {\n      message {\n        id\n        seq\n        direction\n        kind\n        text\n        unsentAt\n        deliveryStatus\n        clientMessageId\n        conversation {\n          id\n          sortKey\n          status\n          blocked\n          allowedActions\n          offerExpiresAt\n          endReason\n          assignee {\n            id\n            name\n          }\n          offeredTo {\n            id\n            name\n          }\n          contact {\n            id\n            name\n          }\n          messages(last: 1) {\n            edges {\n              node {\n                id\n                text\n              }\n            }\n          }\n        }\n        contactChannel {\n          contact {\n            id\n            sortKey\n            name\n            status\n            channels {\n              id\n              reachable\n              allowedActions\n              channel {\n                id\n              }\n              activeBlock {\n                id\n              }\n            }\n          }\n          activeBlock {\n            id\n            sortKey\n            active\n            notes\n            expiresAt\n            suppressedMessageCount\n            contactChannel {\n              id\n              contact {\n                id\n                name\n              }\n            }\n          }\n          id\n        }\n      }\n    }\n    ... on MessageChangedEvent {\n      changedMessage: message {\n        id\n        seq\n        direction\n        kind\n        text\n        unsentAt\n        deliveryStatus\n        clientMessageId\n      }\n    }\n    ... on ContactStatusChangedEvent {\n      contactChannel {\n        contact {\n          id\n          sortKey\n          name\n          status\n          channels {\n            id\n            reachable\n            allowedActions\n            channel {\n              id\n            }\n            activeBlock {\n              id\n            }\n          }\n        }\n        id\n      }\n      conversations {\n        id\n        sortKey\n        status\n        blocked\n        allowedActions\n        offerExpiresAt\n        endReason\n        assignee {\n          id\n          name\n        }\n        offeredTo {\n          id\n          name\n        }\n        contact {\n          id\n          name\n        }\n        messages(last: 1) {\n          edges {\n            node {\n              id\n              text\n            }\n          }\n        }\n      }\n      block {\n        id\n        sortKey\n        active\n        notes\n        expiresAt\n        suppressedMessageCount\n        contactChannel {\n          id\n          contact {\n            id\n            name\n          }\n        }\n      }\n    }\n    ... on ContactChangedEvent {\n      contact {\n        id\n        sortKey\n        name\n        status\n        channels {\n          id\n          reachable\n          allowedActions\n          channel {\n            id\n          }\n          activeBlock {\n            id\n          }\n        }\n      }\n    }\n    id\n  }\n}\n"
  }
};
})();

(node as any).hash = "d795a685ea88bf274c0d69aaa7203708";

export default node;
